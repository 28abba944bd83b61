//! The names in a source: what it imports, and what it defines.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::imports::{Imports, StoredImports, imports};
use super::stored::Stored;
use super::syntax::Syntax;
use super::test_definitions::{Definitions, StoredDefinitions, definitions};
use super::{PythonSource, PythonVersion};

/// The names in a source.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SourceNames {
    #[serde(with = "StoredImports")]
    pub(crate) imports: Imports,
    #[serde(with = "StoredDefinitions")]
    pub(crate) definitions: Definitions,
}

impl SourceNames {
    /// Returns what is known of a source that is not Python: it may import anything, and defines nothing.
    pub(crate) fn unknown() -> Self {
        Self { imports: Imports::unknown(), definitions: Definitions::default() }
    }
}

impl Stored for SourceNames {
    fn store<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn load<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl PythonSource {
    /// Finds the names in the source. Fails if Python refuses the text.
    pub(crate) fn names(&self) -> crate::Result<SourceNames> {
        let syntax = Syntax::parse(self.text(), PythonVersion::NEWEST)?;
        Ok(syntax.walk_with_stack(|syntax| SourceNames {
            imports: imports(syntax),
            definitions: definitions(syntax),
        }))
    }
}
