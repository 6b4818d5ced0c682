//! The intrinsic functions: names, and which template version has which.

use super::version::Version;

/// An intrinsic function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    GetParam,
    GetResource,
    GetAttr,
    GetFile,
    ResourceFacade,
    StrReplace,
    StrReplaceStrict,
    StrReplaceVstrict,
    StrSplit,
    ListJoin,
    ListConcat,
    ListConcatUnique,
    MapMerge,
    MapReplace,
    Repeat,
    Digest,
    Filter,
    MakeUrl,
    If,
    Equals,
    Not,
    And,
    Or,
    Contains,
    Yaql,
    /// Known to another version or format, and refused here.
    Removed,
}

impl Function {
    /// The function that `name` is in a value of a template of this version, if it is one.
    pub(crate) fn in_value(name: &str, version: Version) -> Option<Self> {
        use Version as V;
        let (function, since) = match name {
            "get_param" => (Self::GetParam, V::V20130523),
            "get_resource" => (Self::GetResource, V::V20130523),
            "get_attr" => (Self::GetAttr, V::V20130523),
            "get_file" => (Self::GetFile, V::V20130523),
            "resource_facade" => (Self::ResourceFacade, V::V20130523),
            "str_replace" => (Self::StrReplace, V::V20130523),
            "list_join" => (Self::ListJoin, V::V20130523),
            "repeat" => (Self::Repeat, V::V20150430),
            "digest" => (Self::Digest, V::V20150430),
            "str_split" => (Self::StrSplit, V::V20151015),
            "map_merge" => (Self::MapMerge, V::V20160408),
            "yaql" => (Self::Yaql, V::V20161014),
            "map_replace" => (Self::MapReplace, V::V20161014),
            "if" => (Self::If, V::V20161014),
            "filter" => (Self::Filter, V::V20170224),
            "str_replace_strict" => (Self::StrReplaceStrict, V::V20170224),
            "make_url" => (Self::MakeUrl, V::V20170901),
            "list_concat" => (Self::ListConcat, V::V20170901),
            "str_replace_vstrict" => (Self::StrReplaceVstrict, V::V20170901),
            "list_concat_unique" => (Self::ListConcatUnique, V::V20170901),
            "contains" => (Self::Contains, V::V20170901),
            "Fn::GetAZs"
            | "Fn::Join"
            | "Fn::Split"
            | "Fn::Replace"
            | "Fn::Base64"
            | "Fn::MemberListToMap"
            | "Fn::ResourceFacade"
            | "Fn::Select"
            | "Ref" => (Self::Removed, V::V20130523),
            _ => return None,
        };
        (version >= since).then_some(function)
    }

    /// The function that `name` is in a condition, if it is one there.
    pub(crate) fn in_condition(name: &str, version: Version) -> Option<Self> {
        if !version.has_conditions() {
            return None;
        }
        match name {
            "get_param" => Some(Self::GetParam),
            "equals" => Some(Self::Equals),
            "not" => Some(Self::Not),
            "and" => Some(Self::And),
            "or" => Some(Self::Or),
            "yaql" if version >= Version::V20170901 => Some(Self::Yaql),
            "contains" if version >= Version::V20170901 => Some(Self::Contains),
            _ => None,
        }
    }
}
