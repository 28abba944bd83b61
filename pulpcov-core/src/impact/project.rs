//! The files of a project, and which of them import which.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use crate::python::{Imports, PythonSource};
use crate::summarize::FactsCache;

/// The Python files of a project, and who imports whom.
///
/// Paths start from the top folder of the project and have `/` between their parts. A module has a name for each folder
/// that could be in `sys.path`: every folder above it that is no package. So `src` layouts, namespace packages and test
/// folders need no settings, and one name may mean several files.
///
/// # Examples
///
/// ```
/// use pulpcov_core::impact::Project;
/// use pulpcov_core::python::PythonSource;
///
/// let imports = |text: &str| PythonSource::decode(text.as_bytes()).and_then(|source| source.imports());
/// let project = Project::new([
///     ("src/shop/__init__.py".to_owned(), imports("")?),
///     ("src/shop/cart.py".to_owned(), imports("from . import tax\n")?),
///     ("src/shop/tax.py".to_owned(), imports("")?),
///     ("tests/test_cart.py".to_owned(), imports("import shop.cart\n")?),
/// ]);
/// let importers: Vec<_> = project.importers("src/shop/tax.py").into_iter().collect();
/// assert_eq!(importers, ["src/shop/cart.py", "tests/test_cart.py"]);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Project {
    paths: Vec<String>,
    by_module: HashMap<String, Vec<usize>>,
    numbers: HashMap<String, usize>,
    /// For each file, the files that import it.
    importers: Vec<Vec<usize>>,
}

impl Project {
    /// Resolves the imports of all files. A file that was deleted, but may still be imported, can be among them.
    pub fn new(files: impl IntoIterator<Item = (String, Imports)>) -> Self {
        let mut files: Vec<(String, Imports)> = files.into_iter().collect();
        files.sort_by(|a, b| a.0.cmp(&b.0));
        files.dedup_by(|a, b| a.0 == b.0);
        let (paths, imports): (Vec<String>, Vec<Imports>) = files.into_iter().unzip();
        let modules = Modules::new(&paths);
        let mut importers = vec![Vec::new(); paths.len()];
        for (importer, (path, imports)) in paths.iter().zip(&imports).enumerate() {
            let mut imported = match imports.is_unknown() {
                true => (0..paths.len()).collect(),
                false => modules.imported(path, imports),
            };
            imported.remove(&importer);
            for file in imported {
                if let Some(importers) = importers.get_mut(file) {
                    importers.push(importer);
                }
            }
        }
        let numbers = paths.iter().cloned().zip(0..).collect();
        let by_module = modules.by_name;
        Self { paths, by_module, numbers, importers }
    }

    /// Reads all files on all cores, and resolves their imports. A file that cannot be read imports nothing.
    /// One that is not Python may import anything.
    pub fn read(
        paths: Vec<String>,
        read: impl Fn(&str) -> Option<Vec<u8>> + Sync,
        cache: Option<&FactsCache>,
    ) -> Self {
        use rayon::prelude::*;

        let of_text = |bytes: Vec<u8>| match cache {
            Some(cache) => cache.imports(&bytes),
            // One that cannot be analyzed may import anything.
            None => PythonSource::decode(bytes)
                .and_then(|source| source.imports())
                .unwrap_or_else(|_| Imports::unknown()),
        };
        let with_imports = |path: String| {
            // A file that is gone imports nothing.
            let imports = read(&path).map(of_text);
            (path, imports.unwrap_or_default())
        };
        Self::new(paths.into_par_iter().map(with_imports).collect::<Vec<_>>())
    }

    /// Returns the files of a module, of which there may be several.
    pub fn files_of_module(&self, name: &str) -> Vec<&str> {
        let files = self.by_module.get(name).into_iter().flatten();
        files.filter_map(|file| self.paths.get(*file)).map(String::as_str).collect()
    }

    /// Adds files that are links to others, each with the file that it leads to. Imports name the one, and git and data the other.
    #[must_use]
    pub fn links(mut self, links: impl IntoIterator<Item = (String, String)>) -> Self {
        for (link, file) in links {
            let numbers = (self.numbers.get(&link), self.numbers.get(&file));
            let (Some(&link), Some(&file)) = numbers else { continue };
            if let Some(importers) = self.importers.get_mut(file).filter(|_| link != file) {
                importers.push(link);
            }
        }
        self
    }

    /// Returns the paths of the files, sorted.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// Returns whether the file is known.
    pub fn contains(&self, path: &str) -> bool {
        self.numbers.contains_key(path)
    }

    /// Returns a path as the project has it, if the file is known.
    pub(super) fn path(&self, path: &str) -> Option<&str> {
        self.paths.get(*self.numbers.get(path)?).map(String::as_str)
    }

    /// Returns the files that import a file, directly or through others. The file itself is not among them.
    pub fn importers(&self, path: &str) -> BTreeSet<&str> {
        let Some(&file) = self.numbers.get(path) else { return BTreeSet::new() };
        let mut seen = HashSet::from([file]);
        let mut todo = VecDeque::from([file]);
        while let Some(file) = todo.pop_front() {
            for &importer in self.importers.get(file).into_iter().flatten() {
                if seen.insert(importer) {
                    todo.push_back(importer);
                }
            }
        }
        seen.remove(&file);
        seen.into_iter().filter_map(|file| self.paths.get(file)).map(String::as_str).collect()
    }
}

/// The files by the names of their modules, and by their places.
struct Modules<'p> {
    by_name: HashMap<String, Vec<usize>>,
    by_path: HashMap<&'p str, usize>,
}

impl<'p> Modules<'p> {
    fn new(paths: &'p [String]) -> Self {
        let packages: HashSet<&str> =
            paths.iter().filter_map(|path| folder_of_package(path)).collect();
        let mut by_name = HashMap::<String, Vec<usize>>::new();
        for (number, path) in paths.iter().enumerate() {
            for name in names(path, &packages) {
                by_name.entry(name).or_default().push(number);
            }
        }
        Self { by_name, by_path: paths.iter().map(String::as_str).zip(0..).collect() }
    }

    /// Returns the files that a file imports. A module also imports the packages that it is in.
    fn imported(&self, path: &str, imports: &Imports) -> HashSet<usize> {
        let mut found = HashSet::new();
        for name in imports.absolute() {
            for (end, _) in name.match_indices('.').chain([(name.len(), "")]) {
                let files = name.get(..end).and_then(|name| self.by_name.get(name));
                found.extend(files.into_iter().flatten());
            }
        }
        let folder = folder(path);
        for (level, name) in imports.relative() {
            // `from . import` starts from the folder of the file.
            let up = (1..level).try_fold(folder, |folder, _| parent(folder));
            up.into_iter().for_each(|start| self.add_below(start, name, &mut found));
        }
        let mut above = Some(folder);
        while let Some(folder) = above {
            match self.package(folder) {
                Some(package) => found.insert(package),
                None => break,
            };
            above = parent(folder);
        }
        found
    }

    /// Adds the modules that a dotted name passes, from a folder on.
    fn add_below(&self, start: &str, name: &str, found: &mut HashSet<usize>) {
        found.extend(self.package(start));
        let mut place = start.to_owned();
        for part in name.split('.').filter(|part| !part.is_empty()) {
            place = join(&place, part);
            found.extend(self.by_path.get([&place, ".py"].concat().as_str()));
            found.extend(self.package(&place));
        }
    }

    /// Returns the file that makes a folder a package.
    fn package(&self, folder: &str) -> Option<usize> {
        self.by_path.get(join(folder, "__init__.py").as_str()).copied()
    }
}

/// Returns the names of a module, one for each folder above it that is no package.
fn names(path: &str, packages: &HashSet<&str>) -> Vec<String> {
    let Some(module) = path.strip_suffix(".py").or_else(|| path.strip_suffix(".pyw")) else {
        return Vec::new();
    };
    let module = folder_of_package(path).unwrap_or(module);
    let mut names = Vec::new();
    let mut above = Some(folder(module)).filter(|_| !module.is_empty());
    while let Some(folder) = above {
        if !packages.contains(folder) {
            let rest = module.get(folder.len()..).unwrap_or_default();
            names.push(rest.trim_start_matches('/').replace('/', "."));
        }
        above = parent(folder);
    }
    names
}

/// Returns the folder of a package if the path is of its `__init__.py`.
fn folder_of_package(path: &str) -> Option<&str> {
    let folder = path.strip_suffix("__init__.py")?;
    if folder.is_empty() { Some(folder) } else { folder.strip_suffix('/') }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns the folder above, or `None` above the top folder.
fn parent(path: &str) -> Option<&str> {
    (!path.is_empty()).then(|| folder(path))
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { [folder, "/", name].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::PythonSource;

    fn project(files: &[(&str, &str)]) -> Project {
        Project::new(files.iter().map(|(path, text)| {
            let source = PythonSource::decode(text.as_bytes()).unwrap();
            ((*path).to_owned(), source.imports().unwrap())
        }))
    }

    fn importers(files: &[(&str, &str)], path: &str) -> Vec<String> {
        project(files).importers(path).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_module_imports_its_packages() {
        let files = [
            ("a/__init__.py", ""),
            ("a/b/__init__.py", ""),
            ("a/b/c.py", ""),
            ("t.py", "import a.b.c\n"),
        ];
        assert_eq!(importers(&files, "a/__init__.py"), ["a/b/__init__.py", "a/b/c.py", "t.py"]);
        assert_eq!(importers(&files, "a/b/c.py"), ["t.py"]);
    }

    #[test]
    fn relative_imports_start_from_their_package() {
        let files = [
            ("a/__init__.py", "from .b import x\n"),
            ("a/b.py", ""),
            ("a/c/__init__.py", ""),
            ("a/c/d.py", "from .. import b\nfrom ..b import y\nfrom . import e\n"),
            ("a/c/e.py", ""),
            ("b.py", ""),
        ];
        assert_eq!(importers(&files, "a/c/e.py"), ["a/c/d.py"]);
        // The package imports it, and all of the package import the package.
        assert_eq!(
            importers(&files, "a/b.py"),
            ["a/__init__.py", "a/c/__init__.py", "a/c/d.py", "a/c/e.py"]
        );
        assert!(importers(&files, "b.py").is_empty());
    }

    #[test]
    fn modules_are_found_from_every_folder_that_is_no_package() {
        let files = [
            ("src/ns/pkg/m.py", ""),
            ("src/ns/pkg/__init__.py", ""),
            ("tests/unit/helper.py", ""),
            ("tests/unit/test_a.py", "import ns.pkg.m\nimport helper\n"),
            ("tests/unit/test_b.py", "import pkg.m, tests.unit.helper\n"),
        ];
        assert_eq!(
            importers(&files, "src/ns/pkg/m.py"),
            ["tests/unit/test_a.py", "tests/unit/test_b.py"]
        );
        assert_eq!(
            importers(&files, "tests/unit/helper.py"),
            ["tests/unit/test_a.py", "tests/unit/test_b.py"]
        );
    }

    #[test]
    fn a_file_in_a_package_is_no_module_of_its_own() {
        let files = [("app/__init__.py", ""), ("app/json.py", ""), ("t.py", "import json\n")];
        assert!(importers(&files, "app/json.py").is_empty());
    }

    #[test]
    fn circles_end() {
        let files = [("a.py", "import b\n"), ("b.py", "import a\n"), ("c.py", "import a\n")];
        assert_eq!(importers(&files, "a.py"), ["b.py", "c.py"]);
        assert!(importers(&files, "unknown.py").is_empty());
    }
}
