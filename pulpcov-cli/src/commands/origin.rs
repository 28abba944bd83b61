//! Where the sources of a report are, and what its files are called.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pulpcov_core::config::Config;
use pulpcov_core::paths::WorkingFolder;
use pulpcov_core::summarize::{SourceTree, Sources};
use pulpcov_core::{CoverageData, Error, FilePath};

use super::source_tree::{self, MeasuredSources};
use crate::exit::Failure;
use crate::plan::ReportPlan;
use crate::settings;

/// The sources of a report, and the files that it covers.
pub(super) struct Origin {
    pub(super) sources: Box<dyn Sources>,
    /// The same sources, if they are not where they were measured.
    pub(super) tree: Option<Arc<SourceTree>>,
    /// The folder that relative paths start from.
    pub(super) folder: WorkingFolder,
    /// Whether the data has paths relative to the folder.
    pub(super) relative_files: bool,
    /// The files that the user asked for.
    pub(super) files: Vec<FilePath>,
    /// The folders that the user asked for.
    pub(super) folders: Vec<FilePath>,
    /// Measured files that may be several files of the tree.
    pub(super) unclear: Vec<Unclear>,
}

/// A measured file that may be several files of a tree.
pub(super) struct Unclear {
    pub(super) recorded: FilePath,
    pub(super) sources: Vec<PathBuf>,
}

impl Unclear {
    /// Finds such files in the data.
    fn all(data: &CoverageData, tree: &SourceTree) -> Vec<Self> {
        let files = data.files().filter_map(|file| {
            let sources = tree.several(Path::new(file.path().as_str()));
            let sources: Vec<PathBuf> = sources.into_iter().map(Path::to_owned).collect();
            let is_unclear = !sources.is_empty();
            is_unclear.then(|| Self { recorded: file.path().clone(), sources })
        });
        files.collect()
    }
}

impl Origin {
    /// Returns the sources that the options name, or else the sources where they were measured.
    ///
    /// The data is returned with the names that its files have in these sources.
    pub(super) fn of(
        plan: &ReportPlan,
        config: &Config,
        data: CoverageData,
    ) -> Result<(Self, CoverageData), Failure> {
        let cwd = settings::cwd()?;
        match source_tree::named(plan, &cwd)? {
            Some(tree) => {
                let unclear = Unclear::all(&data, &tree);
                let data = tree.rename_files(data)?;
                Ok((Self { unclear, ..Self::tree(plan, tree)? }, data))
            }
            None => Ok((Self::measured(plan, config, &cwd)?, data)),
        }
    }

    fn measured(plan: &ReportPlan, config: &Config, cwd: &Path) -> Result<Self, Failure> {
        let folder = WorkingFolder::new(cwd);
        let (folders, files) = plan.files.iter().cloned().partition(|path| path.is_dir());
        Ok(Self {
            sources: Box::new(MeasuredSources::new(folder.clone(), &plan.shown)?),
            folder,
            relative_files: config.run.relative_files,
            tree: None,
            files: file_paths(files)?,
            folders: file_paths(folders)?,
            unclear: Vec::new(),
        })
    }

    /// Returns the origin of a source tree. Arguments may name files and folders as the tree does, or by
    /// where they are on disk.
    fn tree(plan: &ReportPlan, tree: SourceTree) -> Result<Self, Failure> {
        let tree = Arc::new(tree);
        let in_tree = |path: &PathBuf| {
            let local = path.canonicalize().ok();
            let inside = local.as_deref().and_then(|local| local.strip_prefix(tree.root()).ok());
            inside.unwrap_or(path).to_owned()
        };
        let (folders, files): (Vec<_>, Vec<_>) =
            plan.files.iter().map(in_tree).partition(|path| tree.has_folder(path));
        let read = Arc::clone(&tree);
        let is_whole = |folder: &PathBuf| folder.as_os_str().is_empty();
        Ok(Self {
            folder: WorkingFolder::new(tree.root()),
            relative_files: true,
            files: file_paths(files)?,
            folders: if folders.iter().any(is_whole) { Vec::new() } else { file_paths(folders)? },
            sources: Box::new(move |path: &Path| read.read(path)),
            tree: Some(tree),
            unclear: Vec::new(),
        })
    }

    /// Returns the path of the folder that relative paths start from.
    pub(super) fn folder_path(&self) -> PathBuf {
        OsStr::from_bytes(self.folder.as_bytes()).into()
    }
}

/// Converts files and folders that the user names to paths of a data file.
fn file_paths(paths: Vec<PathBuf>) -> Result<Vec<FilePath>, Error> {
    paths.iter().map(|path| FilePath::try_from(path.as_os_str().as_encoded_bytes())).collect()
}
