//! Where the tables of a data file are, from the schema table (fileformat.html, section 2.6).

use super::btree::Table;
use super::page_file::PageFile;
use super::record::{Value, values};
use super::{NeedsSqlite, PlainResult};

/// The tables of schema 7: the SQL that creates each, and whether SQLite makes an index for it.
const TABLES: [(&str, bool); 7] = [
    ("coverage_schema(version integer)", false),
    ("meta(key text,value text,unique(key))", true),
    ("file(id integer primary key,path text,unique(path))", true),
    ("context(id integer primary key,context text,unique(context))", true),
    (
        "line_bits(file_id integer,context_id integer,numbits blob,\
         foreign key(file_id)references file(id),foreign key(context_id)references context(id),\
         unique(file_id,context_id))",
        true,
    ),
    (
        "arc(file_id integer,context_id integer,fromno integer,tono integer,\
         foreign key(file_id)references file(id),foreign key(context_id)references context(id),\
         unique(file_id,context_id,fromno,tono))",
        true,
    ),
    (
        "tracer(file_id integer primary key,tracer text,foreign key(file_id)references file(id))",
        false,
    ),
];

/// The maximum length of a table's SQL. The SQL of coverage.py is much shorter.
const MAX_SQL: usize = 10_000;

/// The number of the first page of each table.
pub(super) struct Layout {
    pub(super) version: u32,
    pub(super) meta: u32,
    pub(super) files: u32,
    pub(super) contexts: u32,
    pub(super) lines: u32,
    pub(super) arcs: u32,
    pub(super) tracers: u32,
}

impl Layout {
    /// Returns the layout of a database that has exactly the tables and indexes of schema 7.
    pub(super) fn of(file: &PageFile) -> PlainResult<Self> {
        let mut found = Found::default();
        Table::new(file, 1)?.each(|_, record| found.add(&values(record)?, file.count()))?;
        found.complete()
    }
}

#[derive(Default)]
struct Found {
    tables: [Option<u32>; TABLES.len()],
    indexes: [Option<u32>; TABLES.len()],
}

impl Found {
    /// Adds a row of the schema table: type, name, table, first page, SQL.
    fn add(&mut self, row: &[Value<'_>; 5], pages: u32) -> PlainResult<()> {
        let [kind, name, table, root, sql] = *row;
        let root = u32::try_from(root.integer()?).map_err(|_| NeedsSqlite)?;
        if root < 2 || root > pages {
            return Err(NeedsSqlite);
        }
        let number = number_of(table.text()?)?;
        let place = match (kind.text()?, sql) {
            (b"table", Value::Text(sql)) if name == table => {
                let (wanted, _) = TABLES.get(number).ok_or(NeedsSqlite)?;
                if normalized(sql)?.strip_prefix(b"create table ") != Some(wanted.as_bytes()) {
                    return Err(NeedsSqlite);
                }
                &mut self.tables
            }
            // SQLite gives the index this name, and creates it after its table.
            (b"index", Value::Null)
                if self.tables.get(number).is_some_and(Option::is_some)
                    && is_automatic(name.text()?, table.text()?) =>
            {
                &mut self.indexes
            }
            _ => return Err(NeedsSqlite),
        };
        let place = place.get_mut(number).ok_or(NeedsSqlite)?;
        if place.replace(root).is_some() { Err(NeedsSqlite) } else { Ok(()) }
    }

    fn complete(self) -> PlainResult<Layout> {
        let as_wanted =
            |((_, has_index), index): ((&str, bool), &Option<u32>)| has_index == index.is_some();
        if !TABLES.into_iter().zip(&self.indexes).all(as_wanted) {
            return Err(NeedsSqlite);
        }
        match self.tables {
            [
                Some(version),
                Some(meta),
                Some(files),
                Some(contexts),
                Some(lines),
                Some(arcs),
                Some(tracers),
            ] => Ok(Layout { version, meta, files, contexts, lines, arcs, tracers }),
            _ => Err(NeedsSqlite),
        }
    }
}

fn number_of(table: &[u8]) -> PlainResult<usize> {
    let is_of = |(sql, _): &(&str, bool)| {
        sql.as_bytes().strip_prefix(table).is_some_and(|rest| rest.starts_with(b"("))
    };
    TABLES.iter().position(is_of).ok_or(NeedsSqlite)
}

fn is_automatic(index: &[u8], table: &[u8]) -> bool {
    index
        .strip_prefix(b"sqlite_autoindex_")
        .and_then(|rest| rest.strip_prefix(table))
        .is_some_and(|rest| rest == b"_1")
}

/// Returns SQL without comments, in lower case, and with only those spaces that separate two words.
fn normalized(sql: &[u8]) -> PlainResult<Vec<u8>> {
    if sql.len() > MAX_SQL || sql.contains(&0) || std::str::from_utf8(sql).is_err() {
        return Err(NeedsSqlite);
    }
    let mut normalized = Vec::with_capacity(sql.len());
    for line in sql.split(|byte| *byte == b'\n') {
        let comment = line.windows(2).position(|two| two == b"--").unwrap_or(line.len());
        for &byte in line.iter().take(comment).chain(b"\n") {
            match byte {
                b'(' | b')' | b',' => {
                    normalized.pop_if(|last| *last == b' ');
                    normalized.push(byte);
                }
                byte if !byte.is_ascii_whitespace() => normalized.push(byte.to_ascii_lowercase()),
                _ if !matches!(normalized.last(), Some(b'(' | b')' | b',' | b' ')) => {
                    normalized.push(b' ');
                }
                _ => {}
            }
        }
    }
    normalized.pop_if(|last| *last == b' ');
    Ok(normalized)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_pys_tables_are_known() {
        let sql = include_str!("../schema7.sql");
        let mut statements: Vec<String> = sql
            .split_terminator(";\n")
            .map(|sql| String::from_utf8(normalized(sql.trim_start().as_bytes()).unwrap()).unwrap())
            .collect();
        statements.sort();
        let mut known: Vec<String> =
            TABLES.iter().map(|(sql, _)| format!("create table {sql}")).collect();
        known.sort();
        assert_eq!(statements, known);
    }

    #[test]
    fn words_stay_apart() {
        let same = |a: &str, b: &str| {
            normalized(a.as_bytes()).unwrap() == normalized(b.as_bytes()).unwrap()
        };
        assert!(same("CREATE TABLE a (\n  b -- c\n)", "create table a(b)"));
        assert!(!same("a (id integerprimary key)", "a (id integer primary key)"));
        assert!(!same("a (id integer)", "a (id \"integer\")"));
        assert!(normalized(b"a -- \0\n").is_err() && normalized(b"a -- \xff\n").is_err());
    }
}
