//! The languages a person may read.

use std::fmt;
use std::str::FromStr;

/// A language of the catalogue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Lang {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::Ja];

    /// The language of `--lang`, else of the first locale variable that is set, in the order POSIX gives them.
    pub fn choose(flag: Option<Self>, lc_all: Option<&str>, lc_messages: Option<&str>, lang: Option<&str>) -> Self {
        let locale = [lc_all, lc_messages, lang].into_iter().flatten().find(|value| !value.is_empty());
        flag.or_else(|| locale.map(Self::of_locale)).unwrap_or_default()
    }

    /// The language of a locale such as `ja_JP.UTF-8`; English where there is none of its own.
    fn of_locale(locale: &str) -> Self {
        let language = locale.split(['_', '.', '@', '-']).next().unwrap_or(locale);
        if language.eq_ignore_ascii_case("ja") { Self::Ja } else { Self::En }
    }

    /// The word of `--lang`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }

    /// The one of two texts that is in this language.
    pub(super) fn pick<'a>(self, en: &'a str, ja: &'a str) -> &'a str {
        match self {
            Self::En => en,
            Self::Ja => ja,
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A language that is not in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown language `{0}`: there are en and ja")]
pub struct UnknownLang(String);

impl FromStr for Lang {
    type Err = UnknownLang;

    fn from_str(text: &str) -> Result<Self, UnknownLang> {
        Self::ALL.into_iter().find(|lang| lang.as_str() == text).ok_or_else(|| UnknownLang(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_then_the_locale_in_posix_order() {
        let choose = Lang::choose;
        assert_eq!(choose(Some(Lang::En), Some("ja_JP.UTF-8"), None, None), Lang::En);
        assert_eq!(choose(None, Some("C"), Some("ja"), Some("ja_JP")), Lang::En);
        assert_eq!(choose(None, Some(""), Some("ja_JP.eucJP"), Some("en_GB")), Lang::Ja);
        assert_eq!(choose(None, None, None, Some("ja-JP")), Lang::Ja);
        assert_eq!(choose(None, None, None, Some("jam_JM")), Lang::En);
        assert_eq!(choose(None, None, None, None), Lang::En);
    }

    #[test]
    fn words_are_read_back() {
        for lang in Lang::ALL {
            assert_eq!(lang.to_string().parse(), Ok(lang));
        }
        assert_eq!("de".parse::<Lang>().unwrap_err().to_string(), "unknown language `de`: there are en and ja");
    }
}
