//! Plain scalars and structures as the service reads them.

/// Document, whether it can be read, and its value as JSON.
pub(super) const CASES: &[(&str, bool, &str)] = &[
    (r#"yes"#, true, r#"true"#),
    (r#"No"#, true, r#"false"#),
    (r#"on"#, true, r#"true"#),
    (r#"OFF"#, true, r#"false"#),
    (r#"true"#, true, r#"true"#),
    (r#"TRUE"#, true, r#"true"#),
    (r#"y"#, true, r#""y""#),
    (r#"~"#, true, r#"null"#),
    (r#"null"#, true, r#"null"#),
    (r#""#, true, r#"null"#),
    (r#"0755"#, true, r#"493"#),
    (r#"0o17"#, true, r#""0o17""#),
    (r#"0x1F"#, true, r#"31"#),
    (r#"0b101"#, true, r#"5"#),
    (r#"1_000"#, true, r#"1000"#),
    (r#"1:30"#, true, r#"90"#),
    (r#"1:75"#, true, r#""1:75""#),
    (r#"-12"#, true, r#"-12"#),
    (r#"+5"#, true, r#"5"#),
    (r#"08"#, true, r#""08""#),
    (r#"1.5"#, true, r#"1.5"#),
    (r#"v: 1e3"#, true, r#"{"v": "1e3"}"#),
    (r#"1.0e+3"#, true, r#"1000.0"#),
    (r#".5"#, true, r#"0.5"#),
    (r#"5."#, true, r#"5.0"#),
    (r#"2013-05-23"#, true, r#""2013-05-23""#),
    (r#"2018-08-31T10:00:00Z"#, true, r#""2018-08-31T10:00:00Z""#),
    (r#"'yes'"#, true, r#""yes""#),
    (r#""0755""#, true, r#""0755""#),
    (r#"!!str 5"#, true, r#""5""#),
    (r#"text"#, true, r#""text""#),
    (r#"a: [1, {b: c}]"#, true, r#"{"a": [1, {"b": "c"}]}"#),
    (r#"&x [1, 2]"#, true, r#"[1, 2]"#),
    (r#"{a: &x 1, b: *x}"#, true, r#"{"a": 1, "b": 1}"#),
    (r#"{<<: {a: 1, b: 2}, b: 3}"#, true, r#"{"a": 1, "b": 3}"#),
    (
        r#"- a
- b"#,
        true,
        r#"["a", "b"]"#,
    ),
    (
        r#"|
  a
  b
"#,
        true,
        r#""a\nb\n""#,
    ),
    (
        r#">
  a
  b
"#,
        true,
        r#""a b\n""#,
    ),
    (r#"{2: a, true: c}"#, true, r#"{"2": "a", "True": "c"}"#),
    (r#"{a: 1, a: 2}"#, true, r#"{"a": 2}"#),
    (r#"'it''s'"#, true, r#""it's""#),
    (r#""a\tb""#, true, r#""a\tb""#),
    (r#"[a, b,]"#, true, r#"["a", "b"]"#),
    (r#"="#, false, r#""#),
    (r#"1.2.3"#, true, r#""1.2.3""#),
    (r#"::1"#, true, r#""::1""#),
    (r#"10.0.0.0/24"#, true, r#""10.0.0.0/24""#),
    (r#"a:b"#, true, r#""a:b""#),
    (r#"1__0"#, true, r#"10"#),
    (r#"0"#, true, r#"0"#),
];
