//! The one table of steps (design point 7): the guide's `K1`..`K7` and `A1`..`A17`, and `X1`.. for what it lacks.
//!
//! The order of the table is the order of the work: an `X` step stands where it is done. The Japanese titles of the
//! guide's steps are the guide's own headings.

use std::fmt;
use std::str::FromStr;

use super::lang::Lang;

/// What this version does about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It is done.
    Built,
    /// A person does it; the result is checked.
    Checked,
    /// It is only needed for what this tool does by itself.
    Needless,
    /// It is neither done nor checked.
    NotInThisVersion,
}

impl Status {
    /// The words a person reads.
    pub fn text(self, lang: Lang) -> &'static str {
        match self {
            Self::Built => lang.pick("done by this tool", "このツールが実行"),
            Self::Checked => lang.pick("done by you, checked", "手作業(結果を検査)"),
            Self::Needless => lang.pick("not needed", "不要"),
            Self::NotInThisVersion => lang.pick("not in this version", "このバージョンでは未対応"),
        }
    }
}

/// To which part of the guide a step belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The Keeper part, `K`.
    Keeper,
    /// The AWS part, `A`.
    Aws,
    /// Not in the guide, `X`.
    Extra,
}

macro_rules! steps {
    ($($id:ident $part:ident $status:ident $en:literal $ja:literal)*) => {
        /// A step. Its order is the order of the work.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum StepId {
            $(#[doc = $en] $id,)*
        }

        impl StepId {
            /// Every step, in order.
            pub const ALL: &[Self] = &[$(Self::$id),*];

            /// The id, such as `A4`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$id => stringify!($id),)*
                }
            }

            /// The part of the guide.
            pub fn part(self) -> Part {
                match self {
                    $(Self::$id => Part::$part,)*
                }
            }

            /// What this version does about it.
            pub fn status(self) -> Status {
                match self {
                    $(Self::$id => Status::$status,)*
                }
            }

            /// The title.
            pub fn title(self, lang: Lang) -> &'static str {
                match self {
                    $(Self::$id => lang.pick($en, $ja),)*
                }
            }
        }
    };
}

steps! {
    K1  Keeper Checked          "SSL certificate"                                "SSL証明書"
    K2  Keeper Built            "Create a shared folder"                         "共有フォルダの作成"
    K3  Keeper Built            "Add the attachments"                            "添付ファイルの追加"
    K4  Keeper Built            "Add the Automator properties file"              "オートメータープロパティファイルの追加"
    K5  Keeper Built            "Create the KSM application"                     "KSMアプリケーションの作成"
    K6  Keeper Built            "Attach the KSM application to the shared folder" "KSMアプリケーションを共有フォルダに添付"
    K7  Keeper Built            "Create the KSM device configuration"            "KSMデバイス設定の作成"
    X4  Extra  Built            "Lock the deployment"                            "デプロイのロック"
    A1  Aws    Built            "Create the VPC"                                 "VPCの作成"
    A2  Aws    Built            "Create the CloudWatch log group"                "CloudWatchロググループの作成"
    A3  Aws    Built            "Create the IAM role for task execution"         "タスク実行IAMロールの作成"
    X2  Extra  Built            "Create the IAM role of the task"                "タスクロールの作成"
    A4  Aws    Built            "Create the security groups for ECS"             "ECSのセキュリティグループを作成"
    A5  Aws    Built            "Create the security group for EFS"              "EFS用セキュリティグループの作成"
    A6  Aws    Built            "Create two Elastic File System volumes"         "2つのElastic File Systemボリュームを作成"
    X3  Extra  Built            "Create the EFS access points"                   "EFSアクセスポイントの作成"
    A7  Aws    Built            "Create the Elastic Container Service cluster"   "Elastic Container Serviceクラスターの作成"
    X1  Extra  Built            "Store the KSM configuration as a secret"        "KSM設定をシークレットとして保存"
    A8  Aws    Built            "Create the ECS task definition"                 "ECSタスク定義の作成"
    A9  Aws    Built            "Upload the SSL certificate to AWS Certificate Manager" "SSL証明書をAWS Certificate Managerにアップロード"
    A10 Aws    Built            "Create the target group"                        "ターゲットグループの作成"
    A11 Aws    Built            "Create the Application Load Balancer (ALB)"     "アプリケーションロードバランサー (ALB) の作成"
    A12 Aws    Built            "Create the ECS service"                         "ECSサービスの作成"
    A13 Aws    Built            "Update DNS"                                     "DNSの更新"
    A14 Aws    Needless        "Install Keeper Commander"                       "Keeperコマンダーのインストール"
    A15 Aws    Built            "Set up the Automator with Commander"            "コマンダーでの初期設定"
    A16 Aws    Built            "Test what users see"                            "ユーザー体験のテスト"
    A17 Aws    Built            "Raise the number of tasks"                      "タスク定義の更新"
    X5  Extra  NotInThisVersion "Create the alarms"                              "アラームの作成"
}

impl StepId {
    /// The steps that this version does not do, in order.
    pub fn not_in_this_version() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|step| step.status() == Status::NotInThisVersion)
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A step that is not in the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown step `{0}`: the guide has K1 to K7 and A1 to A17, this tool adds X1 to X5")]
pub struct UnknownStep(String);

impl FromStr for StepId {
    type Err = UnknownStep;

    fn from_str(text: &str) -> Result<Self, UnknownStep> {
        let found = Self::ALL.iter().find(|step| step.as_str().eq_ignore_ascii_case(text.trim()));
        found.copied().ok_or_else(|| UnknownStep(text.to_owned()))
    }
}

impl serde::Serialize for StepId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for StepId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn steps(part: Part) -> Vec<&'static str> {
        StepId::ALL.iter().filter(|step| step.part() == part).map(|step| step.as_str()).collect()
    }

    #[test]
    fn every_step_of_the_guide_is_there_in_its_order() {
        let numbered = |letter: char, last: u32| (1..=last).map(|n| format!("{letter}{n}")).collect::<Vec<_>>();
        assert_eq!(steps(Part::Keeper), numbered('K', 7));
        assert_eq!(steps(Part::Aws), numbered('A', 17));
        let mut extra = steps(Part::Extra);
        extra.sort_unstable();
        assert_eq!(extra, numbered('X', 5));
    }

    #[test]
    fn ids_and_titles_are_unique_and_in_both_languages() {
        let ids: BTreeSet<_> = StepId::ALL.iter().map(|step| step.as_str()).collect();
        assert_eq!(ids.len(), StepId::ALL.len());
        for lang in Lang::ALL {
            let titles: BTreeSet<_> = StepId::ALL.iter().map(|step| step.title(lang)).collect();
            assert_eq!(titles.len(), StepId::ALL.len(), "{lang}");
            assert!(titles.iter().all(|title| !title.trim().is_empty()), "{lang}");
        }
        for step in StepId::ALL {
            assert!(step.title(Lang::En).is_ascii(), "{step}");
            assert!(!step.title(Lang::Ja).is_ascii(), "{step}");
        }
    }

    #[test]
    fn the_whole_guide_is_built_and_the_rest_says_so() {
        let missing: Vec<_> = StepId::not_in_this_version().map(StepId::as_str).collect();
        assert_eq!(missing, ["X5"]);
    }

    #[test]
    fn steps_are_read_back_and_ordered_as_the_work() {
        for step in StepId::ALL {
            assert_eq!(step.to_string().parse(), Ok(*step));
            assert_eq!(step.to_string().to_lowercase().parse(), Ok(*step));
            let json = serde_json::to_string(step).unwrap();
            assert_eq!(serde_json::from_str::<StepId>(&json).unwrap(), *step);
        }
        assert!(StepId::A9 < StepId::A10);
        assert!(StepId::X1 < StepId::A8);
        for unknown in ["", "A0", "A18", "A01", "B1"] {
            assert!(unknown.parse::<StepId>().is_err(), "{unknown}");
        }
    }
}
