//! The names of the settings, and how each is read.

use super::tree::{Item, Table};
use super::{GateSettings, OwnSettings, PatchSettings};
use crate::gates::{Limits, PathPattern, Rule};
use crate::subunit::RoutePattern;
use crate::{Error, Result};

/// A setting: its name, and how it is set.
pub(super) struct Key<S> {
    name: &'static str,
    set: fn(&mut S, &Item) -> Result<()>,
}

/// Lists settings. `keys![base text]` says that the setting `base` sets the field `base` through [`Item::text`].
macro_rules! keys {
    ($($name:ident $read:ident),* $(,)?) => {
        [$(Key {
            name: stringify!($name),
            set: |settings, item| {
                settings.$name = item.$read()?.into();
                Ok(())
            },
        },)*]
    };
}

/// Lists sections. `sections![patch PATCH]` says that `PATCH` lists the settings of the section `patch`.
macro_rules! sections {
    ($($name:ident $keys:ident),* $(,)?) => {
        [$(Key {
            name: stringify!($name),
            set: |settings, item| apply(&$keys, &mut settings.$name, item.table()?),
        },)*]
    };
}

/// The settings of the top table.
pub(super) fn top() -> Vec<Key<OwnSettings>> {
    let sections: [Key<OwnSettings>; 2] = sections![patch PATCH, gate GATE];
    let others: [Key<OwnSettings>; 3] = keys![always patterns, map map, routes routes];
    sections.into_iter().chain(others).collect()
}

const PATCH: [Key<PatchSettings>; 3] = keys![base text, fail_under floor, max_missing count];

const GATE: [Key<GateSettings>; 4] =
    keys![floor limits, new_files limits, ratchet path_below, rules rules];

const RULE: [Key<RuleSettings>; 3] = keys![paths patterns, each limits, together limits];

/// A rule while it is read.
#[derive(Default)]
struct RuleSettings {
    paths: Vec<PathPattern>,
    each: Option<Limits>,
    together: Option<Limits>,
}

/// Sets what a table has. Refuses what it does not know.
pub(super) fn apply<S>(keys: &[Key<S>], settings: &mut S, table: &Table) -> Result<()> {
    for item in table.items() {
        match keys.iter().find(|key| key.name == item.name()) {
            Some(key) => (key.set)(settings, item)?,
            None => {
                let known: Vec<&str> = keys.iter().map(|key| key.name).collect();
                let why = format!("there is no such setting; there are {}", known.join(", "));
                return Err(item.refused(&why));
            }
        }
    }
    Ok(())
}

impl Item {
    /// Reads patterns of paths.
    fn patterns(&self) -> Result<Vec<PathPattern>> {
        let pattern =
            |text: &String| text.parse().map_err(|err: Error| self.refused(&err.reason()));
        self.texts()?.iter().map(pattern).collect()
    }

    /// Reads a table of patterns, each with a list of texts.
    fn map(&self) -> Result<Vec<(PathPattern, Vec<String>)>> {
        let entry = |item: &Item| {
            let pattern = item.name().parse().map_err(|err: Error| item.refused(&err.reason()))?;
            Ok((pattern, item.texts()?))
        };
        self.table()?.items().iter().map(entry).collect()
    }

    /// Reads a table of routes, each with a folder and the other names of it.
    fn routes(&self) -> Result<Vec<(RoutePattern, Vec<String>)>> {
        let entry = |item: &Item| {
            let Ok(pattern) = item.name().parse();
            match item.texts()? {
                paths if paths.len() < 2 => Err(item.refused(
                    "name the folder of the sources here, and then the folders of the same sources on the other machines",
                )),
                paths => Ok((pattern, paths)),
            }
        };
        self.table()?.items().iter().map(entry).collect()
    }

    /// Reads rules. No two may have the same pattern.
    fn rules(&self) -> Result<Vec<Rule>> {
        let mut rules: Vec<Rule> = Vec::new();
        for item in self.tables()? {
            let rule = item.rule()?;
            let all = rules.iter().flat_map(Rule::paths);
            let twice = rule.paths().iter().find(|path| all.clone().any(|other| other == *path));
            if let Some(path) = twice {
                return Err(
                    item.refused(&format!("another rule has the pattern {:?}, too", path.as_str()))
                );
            }
            rules.push(rule);
        }
        Ok(rules)
    }

    fn rule(&self) -> Result<Rule> {
        let mut settings = RuleSettings::default();
        apply(&RULE, &mut settings, self.table()?)?;
        let RuleSettings { paths, each, together } = settings;
        if paths.is_empty() {
            return Err(self.refused("a rule needs `paths`"));
        }
        if each.is_none() && together.is_none() {
            return Err(self.refused("a rule needs `each` or `together`, with limits"));
        }
        let mut rule = Rule::new(paths);
        if let Some(limits) = each {
            rule = rule.each(limits);
        }
        if let Some(limits) = together {
            rule = rule.together(limits);
        }
        Ok(rule)
    }
}
