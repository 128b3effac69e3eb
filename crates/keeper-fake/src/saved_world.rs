//! The state file: the whole world but its contacts, as JSON that only its owner reads.

use crate::world::World;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::path::Path;

/// Version of the file's shape. A file of another version is refused: make a new one.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Out<'a> {
    schema: u32,
    world: &'a World,
}

#[derive(Deserialize)]
struct Schema {
    schema: u32,
}

#[derive(Deserialize)]
struct In {
    world: World,
}

/// Writes beside the place and renames.
pub(crate) fn save(world: &World, path: &Path) -> io::Result<()> {
    let text = serde_json::to_vec(&Out { schema: SCHEMA, world })?;
    write_secret(path, &text)
}

/// A file with mode 0600, which is either the old one or whole.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

impl World {
    /// Reads a state file. Contacts are those of a new world: nobody is trusted yet.
    ///
    /// # Errors
    /// When it cannot be read, has another version, or is damaged; the text says which.
    pub fn load(path: &Path) -> io::Result<Self> {
        let bytes = std::fs::read(path)?;
        let wrong = |text: String| io::Error::new(io::ErrorKind::InvalidData, text);
        let Schema { schema } = serde_json::from_slice(&bytes)
            .map_err(|_| wrong("it is no state file of keeper-fake: remove it or name another".to_owned()))?;
        if schema != SCHEMA {
            return Err(wrong(format!("it has schema {schema}, and {SCHEMA} is expected: remove it or name another")));
        }
        let In { world } = serde_json::from_slice(&bytes)
            .map_err(|error| wrong(format!("it is damaged in line {}: remove it or name another", error.line())))?;
        Ok(world)
    }
}
