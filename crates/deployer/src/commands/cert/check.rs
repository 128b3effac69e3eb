//! `cert check`: for monitoring; quiet, and answers by exit code.

use std::str::FromStr;

use clap::Args;
use jiff::SignedDuration;

use super::open::Input;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    input: Input,
    /// The name that clients call.
    #[arg(long = "host")]
    name: String,
    /// Also refuse what ends within this time: 30d, 2w or 12h.
    #[arg(long, default_value_t = Within::default())]
    within: Within,
}

/// A time as monitoring counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Within {
    count: u32,
    unit: char,
}

impl Default for Within {
    fn default() -> Self {
        Self { count: u32::try_from(certs::EXPIRES_SOON_DAYS).unwrap_or(u32::MAX), unit: 'd' }
    }
}

impl std::fmt::Display for Within {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.count, self.unit)
    }
}

impl FromStr for Within {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "write a number and h, d or w: 30d, say";
        let unit = text.chars().last().filter(|unit| ['h', 'd', 'w'].contains(unit)).ok_or(wrong)?;
        let digits = &text[..text.len() - unit.len_utf8()];
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong);
        }
        Ok(Self { count: digits.parse().map_err(|_| wrong)?, unit })
    }
}

impl Within {
    fn duration(self) -> SignedDuration {
        let hours = match self.unit {
            'w' => 7 * 24,
            'd' => 24,
            _ => 1,
        };
        SignedDuration::from_secs(i64::from(self.count) * hours * 3600)
    }
}

pub(super) fn run(host: &Host, options: &Options) -> Result<ExitCode, Refusal> {
    let (bundle, _) = options.input.open(host)?;
    let now = host.clock.now();
    let until = [bundle.leaf()].into_iter().chain(bundle.chain()).map(|one| one.not_after()).min();
    let ends_soon = until.is_some_and(|until| until.duration_since(now) < options.within.duration());
    let good = bundle.judge(&options.name, now).is_usable() && !ends_soon;
    Ok(if good { ExitCode::Done } else { ExitCode::Findings })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_numbers_with_a_unit() {
        let seconds = |text: &str| text.parse::<Within>().map(|within| within.duration().as_secs());
        assert_eq!(seconds("30d"), Ok(30 * 86_400));
        assert_eq!(seconds("2w"), Ok(14 * 86_400));
        assert_eq!(seconds("12h"), Ok(12 * 3600));
        assert_eq!(seconds("0d"), Ok(0));
        for wrong in ["", "d", "30", "-1d", "+1d", "1m", "1.5d", "30 d", "99999999999d", "3ü"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Within::default().to_string(), "30d");
    }
}
