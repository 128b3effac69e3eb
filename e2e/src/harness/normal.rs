//! What differs between emulators and AWS, levelled out here and nowhere else: the product never asks whom it talks to.

use super::Emulator;
use crate::proxy::Rewrite;

/// What an emulator's answers say differently than AWS's.
pub(super) fn rewrites(emulator: Emulator) -> Vec<Rewrite> {
    match emulator {
        // It answers with empty texts where AWS leaves out what was not given.
        Emulator::Ministack | Emulator::MotoMinistackEcs => ["\"ipcMode\": \"\",", "\"pidMode\": \"\",", "\"ipcMode\":\"\",", "\"pidMode\":\"\","]
            .map(|from| Rewrite { operation: "DescribeTaskDefinition", from, to: "" })
            .into(),
        Emulator::Moto | Emulator::LocalStack | Emulator::Endpoint => Vec::new(),
    }
}
