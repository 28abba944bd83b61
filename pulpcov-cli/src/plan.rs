//! Plans of reports. A command makes a plan from its arguments.

use std::path::PathBuf;

use pulpcov_core::summarize::{PluginLines, PythonChoice};

use crate::args::{self, ConfigArgs, DataArgs, Mixed, Plugins, ReportingArgs, WithArgs};
use crate::exit::Failure;
use crate::settings;

/// The Python that runs plugins, unless an option names another.
const PYTHON: &str = "python3";

/// Which data is read, and how.
#[derive(Clone, Debug)]
pub(crate) struct DataPlan {
    /// The data file, instead of the one that the configuration names.
    pub(crate) file: Option<PathBuf>,
    /// Whether data files that are combined first are kept.
    pub(crate) keep_combined: bool,
    /// Whether data files with lines and data files with branches are combined as lines.
    pub(crate) mixed_as_lines: bool,
    /// Whether facts about sources are kept in the current folder.
    pub(crate) is_cached: bool,
    /// The topics that more output is printed about.
    pub(crate) debug: Vec<String>,
    pub(crate) config: ConfigArgs,
}

impl DataPlan {
    /// Returns the plan for a command without options for data.
    pub(crate) fn new(config: &ConfigArgs) -> Self {
        Self {
            file: None,
            keep_combined: false,
            mixed_as_lines: false,
            is_cached: true,
            debug: Vec::new(),
            config: config.clone(),
        }
    }
}

impl From<&DataArgs> for DataPlan {
    fn from(args: &DataArgs) -> Self {
        Self {
            file: args.data_file.clone(),
            keep_combined: args.keep_combined,
            mixed_as_lines: args.mixed == Some(Mixed::Lines),
            is_cached: !args.no_cache,
            debug: args.debug.clone(),
            config: args.config.clone(),
        }
    }
}

/// Where sources are.
#[derive(Clone, Debug)]
pub(crate) enum SourcePlace {
    /// Where they were measured.
    Measured,
    /// In this folder or archive.
    Root(PathBuf),
    /// In this revision of the git repository.
    Revision(String),
}

impl SourcePlace {
    /// Returns the revision that the sources are of, unless they are files.
    pub(crate) fn revision(&self) -> Option<&str> {
        match self {
            Self::Revision(revision) => Some(revision),
            _ => None,
        }
    }
}

/// What a report is of, and how sources are read.
#[derive(Clone, Debug)]
pub(crate) struct ReportPlan {
    /// The files and folders that the report is of. Empty means all.
    pub(crate) files: Vec<PathBuf>,
    /// Whether files whose sources are missing or are not Python are ignored.
    pub(crate) ignore_errors: bool,
    /// Whether such files are left out, and the report then counts as incomplete.
    pub(crate) leave_out_errors: bool,
    pub(crate) include: Option<Vec<String>>,
    pub(crate) omit: Option<Vec<String>>,
    pub(crate) python: PythonChoice,
    /// What becomes of plugins that are not known. `None` stops the report.
    pub(crate) plugins: Option<Plugins>,
    /// The Python that runs plugins.
    pub(crate) plugin_python: PathBuf,
    pub(crate) plugin_lines: PluginLines,
    pub(crate) sources: SourcePlace,
    /// Sources that the report shows even if another user measured them.
    pub(crate) shown: Vec<PathBuf>,
    /// The reports of other tools that are shown too.
    pub(crate) with: Option<WithPlan>,
    pub(crate) data: DataPlan,
}

/// Reports of other tools.
#[derive(Clone, Debug)]
pub(crate) struct WithPlan {
    pub(crate) files: Vec<PathBuf>,
    /// How many folders are removed from the front of the names of their files.
    pub(crate) strip: usize,
}

impl ReportPlan {
    /// Returns the plan for a report on all data of services, whose files and plugins may be gone.
    ///
    /// Files whose sources are missing or are not Python are left out.
    pub(crate) fn of_services(data: DataPlan, shown: Vec<PathBuf>) -> Self {
        Self {
            files: Vec::new(),
            ignore_errors: false,
            leave_out_errors: true,
            include: None,
            omit: None,
            python: PythonChoice::Auto,
            plugins: Some(Plugins::Ignore),
            plugin_python: PathBuf::from(PYTHON),
            plugin_lines: PluginLines::LeftOut,
            sources: SourcePlace::Measured,
            shown,
            with: None,
            data,
        }
    }

    /// Returns the same plan with the reports of other tools.
    pub(crate) fn with(self, args: &WithArgs) -> Self {
        let strip = args.strip.unwrap_or_default();
        let with = (!args.with.is_empty()).then(|| WithPlan { files: args.with.clone(), strip });
        Self { with, ..self }
    }

    /// Returns the same plan for all files.
    pub(crate) fn for_all_files(self) -> Self {
        Self { files: Vec::new(), ..self }
    }
}

impl TryFrom<&ReportingArgs> for ReportPlan {
    type Error = Failure;

    fn try_from(args: &ReportingArgs) -> Result<Self, Failure> {
        Ok(Self {
            files: args.files.clone(),
            ignore_errors: args.ignore_errors,
            leave_out_errors: false,
            include: patterns(args.include.as_deref()),
            omit: patterns(args.omit.as_deref()),
            python: settings::python(&args.python_version)?,
            plugins: args.plugins,
            plugin_python: args.python.clone().unwrap_or_else(|| PathBuf::from(PYTHON)),
            plugin_lines: match args.plugin_lines {
                Some(args::PluginLines::Measured) => PluginLines::Measured,
                None => PluginLines::LeftOut,
            },
            sources: match (&args.source_root, &args.source_rev) {
                (Some(root), _) => SourcePlace::Root(root.clone()),
                (None, Some(revision)) => SourcePlace::Revision(revision.clone()),
                (None, None) => SourcePlace::Measured,
            },
            shown: args.show_source.clone(),
            with: None,
            data: DataPlan::from(&args.data),
        })
    }
}

/// Splits `a,b` into a list. An empty option counts as none.
pub(crate) fn patterns(option: Option<&str>) -> Option<Vec<String>> {
    let text = option.filter(|text| !text.is_empty())?;
    Some(text.split(',').map(str::to_owned).collect())
}
