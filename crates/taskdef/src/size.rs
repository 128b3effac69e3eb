//! Sizes of Fargate tasks.

/// CPU units from `2048` or `2 vCPU`.
pub(crate) fn cpu(text: &str) -> Option<u32> {
    scaled(text, "vcpu")
}

/// MiB from `5120` or `5 GB`.
pub(crate) fn memory(text: &str) -> Option<u32> {
    scaled(text, "gb")
}

fn scaled(text: &str, unit: &str) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    let Some(number) = text.strip_suffix(unit) else { return text.parse().ok() };
    let (whole, fraction) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
    let whole: u32 = if whole.is_empty() && !fraction.is_empty() { 0 } else { whole.parse().ok()? };
    let mut units = whole.checked_mul(1024)?;
    if !fraction.is_empty() {
        if fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let parts = 10_u64.pow(fraction.len() as u32);
        let thousandths: u64 = fraction.parse().ok()?;
        units = units.checked_add(u32::try_from(thousandths * 1024 / parts).ok()?)?;
    }
    Some(units)
}

/// CPU units that Fargate offers, and for each the smallest and largest memory and the step between, in MiB.
pub(crate) const FARGATE: &[(u32, u32, u32, u32)] = &[
    (256, 512, 2048, 0),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

/// Whether Fargate offers this memory with this CPU.
pub(crate) fn is_offered(cpu: u32, memory: u32) -> bool {
    FARGATE.iter().any(|&(units, least, most, step)| {
        units == cpu
            && match step {
                0 => matches!(memory, 512 | 1024 | 2048),
                step => (least..=most).contains(&memory) && memory.is_multiple_of(step),
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_read() {
        for (text, units) in [
            ("2048", Some(2048)),
            ("2 vCPU", Some(2048)),
            (".25 vCPU", Some(256)),
            ("0.5vcpu", Some(512)),
            ("vCPU", None),
            ("x", None),
            ("99999999 vCPU", None),
        ] {
            assert_eq!(cpu(text), units, "{text}");
        }
        assert_eq!(memory("5 GB"), Some(5120));
    }

    #[test]
    fn pairs_follow_the_table() {
        for (cpu, memory, offered) in [
            (256, 512, true),
            (256, 1024, true),
            (256, 1536, false),
            (2048, 5120, true),
            (2048, 3000, false),
            (8192, 16384, true),
            (8192, 20480, true),
            (8192, 18432, false),
            (16384, 40960, true),
            (16384, 36864, false),
            (16384, 122_880, true),
            (300, 1024, false),
        ] {
            assert_eq!(is_offered(cpu, memory), offered, "{cpu}/{memory}");
        }
    }
}
