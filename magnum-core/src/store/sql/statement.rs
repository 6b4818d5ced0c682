//! A statement being put together: text from this library, values bound.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe};
use uuid::Uuid;

use super::column;
use super::dialect::Dialect;

/// SQL and the values bound to its placeholders.
///
/// Values never become part of the text: each is bound where it is added, so that the text holds
/// nothing but this library's own words.
#[derive(Clone)]
pub(super) struct Statement {
    dialect: Dialect,
    sql: String,
    values: Vec<Value>,
}

/// All that columns hold.
#[derive(Clone)]
enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Flag(i16),
}

impl Statement {
    pub(super) fn new(dialect: Dialect, sql: &str) -> Self {
        Self {
            dialect,
            sql: sql.to_owned(),
            values: Vec::new(),
        }
    }

    /// Adds text of this library.
    pub(super) fn sql(mut self, sql: &str) -> Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds the time now, by the database's clock, in milliseconds.
    pub(super) fn now(self) -> Self {
        let now = self.dialect.now();
        self.sql(now)
    }

    fn bind(mut self, value: Value) -> Self {
        self.values.push(value);
        self.dialect.placeholder(&mut self.sql, self.values.len());
        self
    }

    /// Adds a text that may hold anything.
    pub(super) fn text(self, value: &str) -> Self {
        self.bind(Value::Text(Some(column::escaped(value).into_owned())))
    }

    /// Adds JSON, whose text holds no character that a database minds.
    pub(super) fn json(self, value: String) -> Self {
        self.bind(Value::Text(Some(value)))
    }

    pub(super) fn optional_text(self, value: Option<&str>) -> Self {
        self.bind(Value::Text(
            value.map(|value| column::escaped(value).into_owned()),
        ))
    }

    pub(super) fn id(self, value: Uuid) -> Self {
        self.bind(Value::Text(Some(value.to_string())))
    }

    pub(super) fn optional_id(self, value: Option<Uuid>) -> Self {
        self.bind(Value::Text(value.map(|value| value.to_string())))
    }

    pub(super) fn number(self, value: i64) -> Self {
        self.bind(Value::Number(Some(value)))
    }

    pub(super) fn flag(self, value: bool) -> Self {
        self.bind(Value::Flag(value.into()))
    }

    /// Adds `(?, ?)`, one placeholder for each item. An empty list is not SQL: callers must not ask for it.
    pub(super) fn list<T>(
        mut self,
        items: impl IntoIterator<Item = T>,
        add: impl Fn(Self, T) -> Self,
    ) -> Self {
        let mut before = "(";
        for item in items {
            self = add(self.sql(before), item);
            before = ", ";
        }
        self.sql(")")
    }

    fn query(self) -> Query<'static, Any, AnyArguments> {
        let query = sqlx::query(AssertSqlSafe(self.sql));
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
            Value::Flag(flag) => query.bind(flag),
        })
    }

    /// Runs it and returns how many rows it changed.
    pub(super) async fn run(self, connection: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(self.query().execute(connection).await?.rows_affected())
    }

    /// Runs it and returns its rows.
    pub(super) async fn rows(self, connection: &mut AnyConnection) -> Result<Vec<AnyRow>, sqlx::Error> {
        self.query().fetch_all(connection).await
    }

    /// Runs it and says whether it found a row.
    pub(super) async fn finds(self, connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
        Ok(!self.rows(connection).await?.is_empty())
    }
}
