//! Where the guide is wrong, unsafe or silent, one line each (design point 7).

use std::fmt;
use std::str::FromStr;

use super::lang::Lang;

macro_rules! corrections {
    ($($id:ident $en:literal $ja:literal)*) => {
        /// A correction to the guide.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Correction {
            $(#[doc = $en] $id,)*
        }

        impl Correction {
            /// Every correction, in order.
            pub const ALL: &[Self] = &[$(Self::$id),*];

            /// The id, such as `C01`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$id => stringify!($id),)*
                }
            }

            /// What it says, in one line.
            pub fn text(self, lang: Lang) -> &'static str {
                match self {
                    $(Self::$id => lang.pick($en, $ja),)*
                }
            }
        }
    };
}

corrections! {
    C01 "target group and health check speak HTTPS, because the container does; HTTP only with ssl_mode=none"
        "コンテナはTLSで待ち受けるため、ターゲットグループとヘルスチェックはHTTPSにする(ssl_mode=noneの場合のみHTTP)"
    C02 "`sgr-…` is the id of a rule; a security group's id starts with `sg-`"
        "`sgr-…`はルールのID。セキュリティグループのIDは`sg-`で始まる"
    C03 "the policy's full name is service-role/AmazonECSTaskExecutionRolePolicy, in the partition of the region"
        "ポリシーの正式名はservice-role/AmazonECSTaskExecutionRolePolicy。ARNはリージョンのパーティションに従う"
    C04 "the chain holds the intermediates in issuing order, without the leaf and without the root"
        "証明書チェーンには中間証明書のみを発行順に入れ、サーバー証明書とルート証明書は含めない"
    C05 "KSM_CONFIG is stored in Secrets Manager and referenced, not written into the task definition"
        "KSM_CONFIGはタスク定義に直接書かず、Secrets Managerに保存して参照する"
    C06 "file systems are encrypted at rest; the API's default is not, and it cannot be changed later"
        "EFSは保管時に暗号化する。APIの既定は暗号化なしで、後から変更できない"
    C07 "file systems are mounted through access points with IAM authorization"
        "EFSはIAM認可付きのアクセスポイント経由でマウントする"
    C07b "access points act as a non-root user, so that the task role needs no root access"
        "アクセスポイントは非rootユーザーを使い、タスクロールにroot権限を与えない"
    C08 "one mount target per availability zone, and a VPC with DNS support and DNS host names on"
        "マウントターゲットはアベイラビリティーゾーンごとに1つ。VPCのDNS解決とDNSホスト名を有効にする"
    C09 "the balancer needs subnets in two or more zones with a route to the internet"
        "ロードバランサーには、インターネットへの経路を持つ2つ以上のゾーンのサブネットが必要"
    C10 "the log group exists before the first task, because the execution role cannot create it"
        "実行ロールはロググループを作成できないため、最初のタスクより前に作成する"
    C11 "three security groups (balancer, task, files) in place of one that refers to itself"
        "自己参照する1つのグループではなく、ロードバランサー・タスク・EFSの3つのセキュリティグループを使う"
    C12 "the KSM device must not be locked to an address: tasks change theirs at each start"
        "タスクは起動のたびにアドレスが変わるため、KSMデバイスをIPロックしない"
    C13 "exactly one attachment per file name in the vault record"
        "ボルトのレコードには、同じ名前の添付ファイルを1つだけ置く"
    C14 "images are pinned to a version or a digest; `latest` upgrades silently"
        "イメージはバージョンまたはダイジェストで固定する。`latest`は知らないうちに更新される"
    C15 "one region everywhere: logs, certificate, file systems, balancer, service"
        "ログ、証明書、EFS、ロードバランサー、サービスはすべて同じリージョンにする"
    C16 "automarnalb, automatralb and automaticalb are the same balancer; its name has at most 32 characters"
        "automarnalb、automatralb、automaticalbは同じロードバランサー。名前は32文字まで"
    C17 "the listener has an explicit TLS 1.2/1.3 policy; the API's default allows TLS 1.0"
        "リスナーにはTLS 1.2/1.3のポリシーを明示する。APIの既定はTLS 1.0を許可する"
    C18 "the log group has a retention; without one logs are kept for ever"
        "ロググループに保持期間を設定する。設定しないとログは無期限に残る"
    C19 "tasks get a public address only where the subnet has no NAT"
        "パブリックIPは、NATのないサブネットのタスクにのみ付ける"
    C20 "the host name is a SAN of the certificate, not only its common name"
        "ホスト名はコモンネームだけでなく、証明書のSANにも必要"
    C21 "the PFX password comes from ssl-certificate-password.txt; both passwords in the properties stay empty"
        "PFXのパスワードはssl-certificate-password.txtから読まれる。プロパティの2つのパスワードは空のままにする"
    C22 "the alias needs the balancer's own zone id, and a public zone that is authoritative for the host"
        "エイリアスにはロードバランサー自身のゾーンIDと、ホスト名に対して権威を持つパブリックゾーンが必要"
    C23 "the service has a grace period, a circuit breaker with rollback, and 100/200 percent limits"
        "サービスには猶予期間、ロールバック付きサーキットブレーカー、100/200%の上下限を設定する"
    C24 "no Cloud Map namespace is created: nothing uses it"
        "Cloud Map名前空間は使われないため作成しない"
    C25 "perhaps only the root-level Keeper Administrator role can manage Automators: tested early"
        "オートメーターを管理できるのはルートレベルのKeeper管理者ロールのみの可能性があるため、早めに確認する"
    C26 "whether an Automator is initialised is shown only by `automator view`"
        "初期化済みかどうかは`automator view`にのみ表示される"
    C27 "Commander's exit status says nothing: the state is read back after each command"
        "コマンダーの終了ステータスは当てにならないため、コマンドごとに状態を読み直す"
    C28 "`automator create` may ask a question: it runs without a terminal and with a time limit"
        "`automator create`は質問することがあるため、端末なし・時間制限付きで実行する"
    C29 "the last step updates the service's desired count, not the task definition"
        "最後の手順はタスク定義の更新ではなく、サービスの必要タスク数の変更"
    C30 "one task during setup: the two steps of the key exchange must reach the same instance"
        "鍵交換の2段階は同じインスタンスに届く必要があるため、初期設定中はタスクを1件にする"
    C31 "the region of the Keeper tenant and the AWS region are independent"
        "KeeperテナントのリージョンとAWSリージョンは互いに独立している"
    C32 "the private key stays in memory: no work files, no clipboard"
        "秘密鍵はメモリ内にのみ置き、作業ファイルやクリップボードに残さない"
    C33 "updates have a procedure: certificate, image, credentials"
        "証明書、イメージ、認証情報には更新手順を用意する"
    C34 "disable_sni_check must be true: a managed balancer does not present the certificate's name"
        "マネージドロードバランサーは証明書の名前を提示しないため、disable_sni_checkはtrueにする"
    C35 "ssl_certificate_file=/config/ssl-certificate.pfx is right as printed: it is resolved below /usr/mybin"
        "ssl_certificate_file=/config/ssl-certificate.pfxは記載のままでよい(/usr/mybin以下として解決される)"
    C36 "automator_host=localhost is right as printed: it does not restrict the listener"
        "automator_host=localhostは記載のままでよい(待ち受けは制限されない)"
    C37 "operator addresses are explicit, removable rules; the whole internet is refused"
        "運用者のアドレスは明示的で削除可能なルールとし、インターネット全体の許可は拒否する"
    C38 "anonymous pulls from Docker Hub are limited per address"
        "Docker Hubからの匿名プルはアドレスごとに回数制限がある"
    C39 "each generation of the files has its own attachment name, so that an old revision still gets its own"
        "ファイルの世代ごとに別の添付名を使い、古いリビジョンが自分の世代のファイルを読めるようにする"
    C40 "alarms and a run journal, which the guide lacks"
        "ガイドにないアラームと実行記録を用意する"
}

impl fmt::Display for Correction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A correction that is not in the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown correction `{0}`: there are C01 to C40")]
pub struct UnknownCorrection(String);

impl FromStr for Correction {
    type Err = UnknownCorrection;

    fn from_str(text: &str) -> Result<Self, UnknownCorrection> {
        let found = Self::ALL.iter().find(|correction| correction.as_str().eq_ignore_ascii_case(text.trim()));
        found.copied().ok_or_else(|| UnknownCorrection(text.to_owned()))
    }
}

impl serde::Serialize for Correction {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Correction {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_there_in_order() {
        let mut expected: Vec<String> = (1..=40).map(|n| format!("C{n:02}")).collect();
        expected.insert(7, "C07b".to_owned());
        let ids: Vec<_> = Correction::ALL.iter().map(|correction| correction.as_str()).collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn every_correction_has_one_line_in_both_languages() {
        for correction in Correction::ALL {
            for lang in Lang::ALL {
                let text = correction.text(lang);
                assert!(!text.trim().is_empty() && !text.contains('\n'), "{correction} {lang}");
            }
            assert!(correction.text(Lang::Ja).chars().any(|c| ('\u{3040}'..'\u{a000}').contains(&c)), "{correction}");
            assert_eq!(correction.to_string().parse(), Ok(*correction));
        }
    }
}
