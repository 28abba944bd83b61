//! Finds the file that has settings of pulpcov, and reads it.

use std::io::{self, Read};
use std::path::Path;

use super::super::document::Document;
use super::super::files::{Loader, decode, open_in_shared_folder, unreadable};
use super::keys::{apply, top};
use super::tree::{Table, of_ini, of_toml};
use super::{LoadedOwn, OwnSettings};
use crate::{Error, ErrorKind, Result};

/// The file that has nothing but settings of pulpcov.
const OUR_FILE: &str = "pulpcov.toml";

/// The files that may have settings of pulpcov, beside those that are named.
const FILES: [&str; 6] =
    [OUR_FILE, ".coveragerc", ".coveragerc.toml", "setup.cfg", "tox.ini", "pyproject.toml"];

/// The files that may have them if another file is named that has none.
const FILES_BESIDE_A_NAMED: [&str; 2] = [OUR_FILE, "pyproject.toml"];

impl Loader<'_> {
    /// Finds the settings of pulpcov itself, in the folder and files where coverage.py's are looked for, or in
    /// `pulpcov.toml`. Variables in values are not replaced.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], with the file, and the line if it is known:
    ///
    /// - if several files have settings of pulpcov, and none of them was named;
    /// - if a setting is unknown, or its value is of the wrong type or out of bounds;
    /// - if a file with settings cannot be read, or is not UTF-8, INI or TOML.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::Loader;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let loader = Loader::new(folder.path(), |_| None);
    /// std::fs::write(folder.path().join("setup.cfg"), "[pulpcov:gate]\nfloor = 80\n")?;
    /// assert_eq!(loader.load_own()?.settings.gate.floor, Some("80".parse()?));
    ///
    /// std::fs::write(folder.path().join("pulpcov.toml"), "[gate]\nfloor = 90\n")?;
    /// assert!(loader.load_own().unwrap_err().to_string().contains("pulpcov.toml and setup.cfg both have"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn load_own(&self) -> Result<LoadedOwn> {
        let mut loaded = LoadedOwn::default();
        let names: &[&str] = match self.named_file() {
            Some(name) if name.is_empty() => return Ok(loaded),
            Some(name) => {
                let bytes = self.open_own(&name, &mut loaded.warnings, true)?;
                let settings = bytes.map(|bytes| read(&name, &bytes)).transpose()?;
                if let Some(settings) = settings.flatten() {
                    loaded.settings = OwnSettings { file: Some(self.absolute(&name)), ..settings };
                    return Ok(loaded);
                }
                &FILES_BESIDE_A_NAMED
            }
            None => &FILES,
        };
        let mut found: Option<&str> = None;
        for name in names {
            let Some(bytes) = self.open_own(name, &mut loaded.warnings, false)? else { continue };
            let Some(settings) = read(name, &bytes)? else { continue };
            if let Some(other) = found {
                let why = format!(
                    "{other} and {name} both have settings of pulpcov: keep them in one file"
                );
                return Err(Error::new(ErrorKind::Config, why));
            }
            found = Some(name);
            loaded.settings = OwnSettings { file: Some(self.absolute(name)), ..settings };
        }
        Ok(loaded)
    }

    /// Reads the settings of pulpcov from the content of a file called `name`. Returns `None` if it has none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] as for [`load_own`](Self::load_own).
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::Loader;
    ///
    /// let loader = Loader::new("/work", |_| None);
    /// let settings = loader.parse_own("pulpcov.toml", b"[gate]\nfloor = 80\n")?.unwrap();
    /// assert_eq!(settings.gate.floor, Some("80".parse()?));
    /// assert_eq!(loader.parse_own("tox.ini", b"[tox]\n")?, None);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn parse_own(&self, name: &str, bytes: &[u8]) -> Result<Option<OwnSettings>> {
        let settings = read(name, bytes)?;
        Ok(settings.map(|settings| OwnSettings { file: Some(self.absolute(name)), ..settings }))
    }

    /// Reads a file if it exists. A file that another user may have put there is read only if it was named.
    fn open_own(
        &self,
        name: &str,
        warnings: &mut Vec<String>,
        is_named: bool,
    ) -> Result<Option<Vec<u8>>> {
        let path = self.folder().join(name);
        let read = match open_in_shared_folder(&path).filter(|_| !is_named) {
            None => std::fs::read(&path),
            Some(Ok(mut file)) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).map(|_| bytes)
            }
            Some(Err(why)) => {
                let why = why.filter(|_| name == OUR_FILE);
                // The reader of coverage.py's settings warns of the other files.
                warnings.extend(why.map(|why| {
                    format!("{name} is not read: {why}, in a folder that everybody can write to; name it to have it read")
                }));
                return Ok(None);
            }
        };
        match read {
            Ok(bytes) => Ok(Some(bytes)),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
            // A folder of this name is not a file with settings.
            Err(_) if Path::new(&path).is_dir() => Ok(None),
            Err(err) => Err(Error::io(name, err)),
        }
    }
}

/// Reads a file. Returns `None` if it has no settings of pulpcov.
fn read(name: &str, bytes: &[u8]) -> Result<Option<OwnSettings>> {
    let is_ours = Path::new(name).file_name().is_some_and(|name| name == OUR_FILE);
    // Whatever is wrong with the file of another tool is the other tool's business.
    if !is_ours && memchr::memmem::find(bytes, b"pulpcov").is_none() {
        return Ok(None);
    }
    let text = decode(name, bytes)?;
    let document = Document::parse(name, &text)
        .map_err(|error| unreadable(name, &error.reason, error.position))?;
    let table: Option<Table> = match &document {
        Document::Ini(ini) => of_ini(ini),
        Document::Toml(toml) => of_toml(toml, is_ours).map_err(|err| err.with_path(name))?,
    };
    let Some(table) = table else { return Ok(None) };
    let mut settings = OwnSettings::default();
    apply(&top(), &mut settings, &table).map_err(|err| err.with_path(name))?;
    Ok(Some(settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, text: &str) -> Result<Option<OwnSettings>> {
        Loader::new("/work", |_| None).parse_own(name, text.as_bytes())
    }

    const TOML: &str = r#"
[tool.pulpcov.patch]
base = "origin/dev"
fail_under = 99.50
max_missing = 3

[tool.pulpcov.gate]
floor = 80
new_files = { lines = 95, branches = 90.5 }
ratchet = "ci/ratchet"

[[tool.pulpcov.gate.rules]]
paths = "src/app/**"
each = { lines = 90, branches = 80 }

[[tool.pulpcov.gate.rules]]
paths = ["src/legacy", "src/old"]
together = { max_missing = 120 }
"#;

    const INI: &str = "
[DEFAULT]
unrelated = 1
[pulpcov:gate:legacy]
paths = src/legacy
    src/old
together = max_missing=120
[pulpcov:patch]
base = origin/dev
fail_under = 99.50
max_missing = 3
[pulpcov:gate]
floor = 80
new_files = lines=95, branches=90.5
ratchet = ci/ratchet
[pulpcovers]
x = 1
";

    #[test]
    fn each_dialect_says_the_same() {
        let settings = parse("pyproject.toml", TOML).unwrap().unwrap();
        assert_eq!(settings.patch.base.as_deref(), Some("origin/dev"));
        assert_eq!(settings.patch.fail_under.unwrap().to_string(), "99.50");
        assert_eq!(settings.patch.max_missing, Some(3));
        assert_eq!(settings.gate.ratchet.as_deref(), Some(Path::new("ci/ratchet")));
        assert_eq!(settings.gate.rules.len(), 2);
        let ours = parse("pulpcov.toml", &TOML.replace("tool.pulpcov.", "")).unwrap().unwrap();
        assert_eq!(ours.gate, settings.gate);
        let ini = parse(".coveragerc", INI).unwrap().unwrap();
        assert_eq!(ini.patch, settings.patch);
        assert_eq!(ini.gate.rules, settings.gate.rules[1..]);
        assert_eq!(ini.gate.new_files, settings.gate.new_files);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let cases = [
            (
                "a.toml",
                "[tool.pulpcov]\nflor = 1\n",
                "line 2, [tool.pulpcov] flor: there is no such setting; there are patch, gate",
            ),
            (
                "a.toml",
                "[tool.pulpcov.gate]\n\nflor = 1\n",
                "line 3, [tool.pulpcov.gate] flor: there is no such",
            ),
            (
                "a.toml",
                "[tool.pulpcov.gate]\nfloor = 101\n",
                "line 2, [tool.pulpcov.gate] floor: \"101\" is not a percentage",
            ),
            ("a.toml", "[tool.pulpcov.gate]\nfloor = true\n", "not true or false"),
            ("a.toml", "[tool.pulpcov.gate]\nfloor = -0.5\n", "\"-0.5\" is not a percentage"),
            ("a.toml", "[tool.pulpcov.gate]\nfloor = nan\n", "\"nan\" is not a percentage"),
            ("a.toml", "[tool.pulpcov.gate]\nfloor = {}\n", "there is no limit"),
            (
                "a.toml",
                "[tool.pulpcov.gate]\nfloor = { line = 3 }\n",
                "line 2, [tool.pulpcov.gate.floor] line: there is no limit \"line\"",
            ),
            ("a.toml", "[tool.pulpcov.gate]\nratchet = \"../x\"\n", "in this folder or below"),
            (
                "a.toml",
                "[tool.pulpcov.gate]\nratchet = \"/etc/passwd\"\n",
                "in this folder or below",
            ),
            ("a.toml", "[tool.pulpcov.gate]\nrules = 3\n", "must be a list of tables"),
            ("a.toml", "[tool.pulpcov.gate]\nrules = [3]\n", "must be a table"),
            ("a.toml", "[[tool.pulpcov.gate.rules]]\neach = 3\n", "a rule needs `paths`"),
            (
                "a.toml",
                "[[tool.pulpcov.gate.rules]]\npaths = \"a\"\n",
                "needs `each` or `together`",
            ),
            (
                "a.toml",
                "[[tool.pulpcov.gate.rules]]\npaths = \"../a\"\neach = 1\n",
                "line 2, [tool.pulpcov.gate.rules] paths: the pattern",
            ),
            ("a.toml", "[tool.pulpcov]\npatch = 3\n", "this must be a table"),
            ("a.toml", "tool.pulpcov = 3\n", "[tool.pulpcov] is not a table (at line 1)"),
            ("a.toml", "[tool.pulpcov.patch]\nmax_missing = 1.5\n", "\"1.5\" is not a count"),
            (
                "a.toml",
                "[tool.pulpcov.patch]\nmax_missing = 99999999999999999999999\n",
                "is not a count",
            ),
            ("a.toml", "[tool.pulpcov.patch]\nbase = 3\n", "must be a string"),
            ("pulpcov.toml", "[tool.pulpcov]\n", "tool: there is no such setting"),
            ("pulpcov.toml", "x = \n", "Couldn't read config file pulpcov.toml"),
            ("a.ini", "[pulpcov]\nx = 1\n", "line 2, [pulpcov] x: there is no such setting"),
            (
                "a.ini",
                "[pulpcov:gat]\nfloor = 1\n",
                "line 2, [pulpcov:gat] gat: there is no such setting",
            ),
            ("a.ini", "[pulpcov:gate]\nrules = 1\n", "must be a list of tables"),
            ("a.ini", "[pulpcov:patch:x]\nbase = 1\n", "there is no such setting"),
            (
                "a.ini",
                "[pulpcov:gate:x]\npaths = a\neach = lines\n",
                "line 3, [pulpcov:gate:x] each: \"lines\" is not",
            ),
        ];
        for (name, text, words) in cases {
            let err = parse(name, text).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::Config, "{text}");
            assert!(err.to_string().contains(words), "{text}\n{err}");
            assert_eq!(err.path(), Some(Path::new(name)), "{text}");
        }
        let twice = "[[gate.rules]]\npaths='a'\neach=1\n[[gate.rules]]\npaths=['b','a']\neach=2\n";
        let err = parse("pulpcov.toml", twice).unwrap_err();
        assert!(err.to_string().contains("another rule has the pattern \"a\", too"), "{err}");
    }

    #[test]
    fn files_of_other_tools_are_left_alone() {
        assert_eq!(parse("pyproject.toml", "this is = = no TOML").unwrap(), None);
        assert_eq!(
            parse("pyproject.toml", "[project]\ndependencies = ['pulpcov']\n").unwrap(),
            None
        );
        assert_eq!(parse("tox.ini", "[testenv]\ndeps = pulpcov\n").unwrap(), None);
        assert!(parse("pulpcov.toml", "").unwrap().is_some());
    }

    #[test]
    fn a_named_file_wins_if_it_has_settings() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("pulpcov.toml", "[gate]\nfloor = 1\n");
        write("tox.ini", "[pulpcov:gate]\nfloor = 2\n");
        write("named.cfg", "[pulpcov:gate]\nfloor = 3\n");
        write("plain.cfg", "[run]\nbranch = true\n");
        let floor = |name: Option<&str>| {
            let loader = Loader::new(folder.path(), |_| None);
            let loader = match name {
                Some(name) => loader.rcfile(name),
                None => loader,
            };
            loader
                .load_own()
                .map(|loaded| loaded.settings.gate.floor.map(|floor| floor.to_string()))
        };
        assert!(
            floor(None).unwrap_err().to_string().contains("pulpcov.toml and tox.ini both have")
        );
        assert_eq!(floor(Some("named.cfg")).unwrap().as_deref(), Some("3%"));
        assert_eq!(floor(Some("plain.cfg")).unwrap().as_deref(), Some("1%"));
        assert_eq!(floor(Some("")).unwrap(), None);
    }
}
