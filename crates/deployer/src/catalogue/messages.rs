//! What to do next, by failure code.
//!
//! An error that carries a hint of its own knows more; these are for those that carry only a code. A code is written
//! here once somebody knows what a person can do about it, so not every code has a hint.

use super::lang::Lang;

/// The hint for a failure code, if there is one.
pub fn hint(code: &str, lang: Lang) -> Option<&'static str> {
    let entry = HINTS.iter().find(|entry| entry.0 == code)?;
    Some(lang.pick(entry.1, entry.2))
}

/// Every code that has a hint.
pub fn codes() -> impl Iterator<Item = &'static str> {
    HINTS.iter().map(|entry| entry.0)
}

type Hint = (&'static str, &'static str, &'static str);

#[rustfmt::skip] // one shape for all entries: code, English, Japanese
const HINTS: &[Hint] = &[
    // The config file.
    ("config-unreadable",
     "name the file with --config; README shows a short one; `deploy --sandbox` needs none",
     "--configでファイルを指定してください。短い例はREADMEにあります。設定なしで試すには`deploy --sandbox`を使います"),
    ("config-syntax",
     "the file is not valid TOML at this place; strings stand in quotes, tables start with [name]",
     "この箇所はTOMLとして正しくありません。文字列は引用符で囲み、テーブルは[名前]で始めます"),
    ("config-unknown-key",
     "correct the key or remove it; the committed schema lists all keys",
     "キーを修正するか削除してください。使用できるキーはスキーマに記載されています"),
    ("config-wrong-type",
     "write the value in the form that the message names",
     "メッセージに示された形式で値を書いてください"),
    ("config-bad-value",
     "correct the value at the marked place",
     "示された箇所の値を修正してください"),
    ("config-missing-key",
     "add the key; name, region, host, [certificate] and [keeper] have no defaults",
     "キーを追加してください。name、region、host、[certificate]、[keeper]には既定値がありません"),
    ("config-conflict",
     "two settings contradict each other: remove one of them",
     "2つの設定が矛盾しています。どちらかを削除してください"),
    ("config-literal-secret",
     "put the secret into a file or an environment variable and refer to it: { file = \"…\" }, { env = \"NAME\" } or { prompt = true }",
     "シークレットはファイルまたは環境変数に置き、{ file = \"…\" }、{ env = \"NAME\" }、{ prompt = true }のいずれかで参照してください"),
    ("config-not-in-this-version",
     "remove the setting; the changelog tells when it arrives",
     "この設定を削除してください。対応状況は変更履歴に記載されます"),
    ("config-unknown-node",
     "`plan` lists the nodes with their ids",
     "ノードのIDは`plan`で確認できます"),

    // Secrets.
    ("secret-unreadable",
     "check the path and its permissions; paths are relative to the config file",
     "パスと権限を確認してください。パスは設定ファイルからの相対パスです"),
    ("secret-not-text",
     "the file is not text; a PFX goes to certificate.pfx, its password to certificate.password",
     "ファイルがテキストではありません。PFXはcertificate.pfx、パスワードはcertificate.passwordに指定します"),
    ("secret-too-large",
     "this is most likely the wrong file: it is larger than any secret",
     "シークレットとしては大きすぎます。ファイルの指定を確認してください"),
    ("secret-env-not-set",
     "export the variable in the shell that runs this command",
     "このコマンドを実行するシェルで環境変数を設定してください"),
    ("secret-not-answered",
     "run on a terminal, or refer to a file or an environment variable",
     "端末で実行するか、ファイルまたは環境変数で指定してください"),
    ("ksm-config-invalid",
     "export the device's configuration again as base64 (step K7)",
     "デバイスの設定をBase64形式で再度エクスポートしてください(手順K7)"),
    ("ksm-region-mismatch",
     "the KSM configuration belongs to another Keeper region than keeper.region names (C31)",
     "KSM設定のリージョンがkeeper.regionと一致しません(C31)"),

    // The certificate.
    ("pfx-unreadable",
     "check certificate.pfx: the path is relative to the config file",
     "certificate.pfxを確認してください。パスは設定ファイルからの相対パスです"),
    ("pfx-wrong-password",
     "check certificate.password; the file from step K1 is ssl-certificate-password.txt",
     "certificate.passwordを確認してください。手順K1で作成したファイルはssl-certificate-password.txtです"),
    ("pfx-key-password-differs",
     "export the PFX again with one password for file and key; the service cannot use two (C21)",
     "ファイルと鍵に同じパスワードを使ってPFXを再エクスポートしてください。2つのパスワードは使えません(C21)"),
    ("pfx-unsupported",
     "export the PFX again with AES-256 and SHA-256, for example with OpenSSL 3",
     "OpenSSL 3などでAES-256とSHA-256を使ってPFXを再エクスポートしてください"),
    ("pfx-corrupt",
     "the file is damaged or no PFX; export it again, and copy it in binary mode",
     "ファイルが壊れているかPFXではありません。再エクスポートし、バイナリとしてコピーしてください"),
    ("pfx-too-much-work",
     "export the PFX again with fewer rounds (10,000 are plenty)",
     "反復回数を減らして(10,000回程度)PFXを再エクスポートしてください"),
    ("pfx-too-large",
     "this is most likely not a PFX with one certificate and its chain",
     "1つの証明書とそのチェーンを含むPFXではない可能性があります"),
    ("pfx-no-key",
     "export the PFX again together with the private key",
     "秘密鍵を含めてPFXを再エクスポートしてください"),
    ("pfx-several-keys",
     "export the PFX again with one private key only",
     "秘密鍵を1つだけ含むPFXを再エクスポートしてください"),
    ("pfx-key-does-not-match",
     "the private key belongs to another certificate: put the key and the certificate that was issued for it together",
     "秘密鍵が証明書と一致しません。その鍵に対して発行された証明書と組み合わせてください"),
    ("pfx-key-damaged",
     "the private key is not consistent in itself: export it again from where it was made",
     "秘密鍵が壊れています。作成元から再エクスポートしてください"),
    ("expired",
     "renew the certificate and name the new PFX in certificate.pfx",
     "証明書を更新し、新しいPFXをcertificate.pfxに指定してください"),
    ("not-yet-valid",
     "check the clock of this machine, or wait until the certificate becomes valid",
     "このマシンの時計を確認するか、証明書が有効になるまで待ってください"),
    ("host-not-covered",
     "the host must be a DNS name (SAN) of the certificate: correct `host`, or have the certificate issued for it (C20)",
     "ホスト名は証明書のSANに必要です。`host`を修正するか、その名前で証明書を発行してください(C20)"),
    ("chain-missing",
     "export the PFX again with all intermediate certificates of the authority",
     "認証局の中間証明書をすべて含めてPFXを再エクスポートしてください"),
    ("key-not-for-acm",
     "use an RSA key of 2048 to 4096 bits or an ECDSA key on P-256, P-384 or P-521",
     "RSA 2048〜4096ビット、またはECDSA P-256、P-384、P-521の鍵を使ってください"),

    // The certificate by ACME.
    ("acme-terms",
     "read the terms of service, then say --agree-to-terms",
     "利用規約を読み、--agree-to-termsを指定してください"),
    ("acme-zone",
     "sign in to the account that has the public zone, or name the zone's id with --zone; a zone of the record's own name will do",
     "パブリックゾーンを持つアカウントでサインインするか、--zoneでゾーンのIDを指定してください。レコード名そのもののゾーンでも構いません"),
    ("acme-record",
     "remove the record that stands there, or have the certificate issued by what it leads to",
     "既存のレコードを削除するか、その参照先で証明書を発行してください"),
    ("acme-not-a-customer",
     "say --eab-key-id and --eab-hmac-file with what the authority gives to its customers",
     "認証局から提供された値を--eab-key-idと--eab-hmac-fileで指定してください"),
    ("acme-customer-key",
     "copy the HMAC key again as the authority shows it, into a file or a variable",
     "認証局に表示されるHMACキーを、ファイルまたは環境変数にもう一度コピーしてください"),
    ("acme-account-key",
     "name the file of the account, or one that does not exist to make a new account",
     "アカウントのファイルを指定するか、存在しないファイル名を指定して新しいアカウントを作成してください"),
    ("acme-authority",
     "run it again; if it stays, look at the authority's limits and status page, and for a private one at --ca-file",
     "もう一度実行してください。続く場合は認証局の制限と稼働状況を、プライベートな認証局では--ca-fileを確認してください"),
    ("acme-refused",
     "check that the zone is the public one, and that its CAA records allow the authority",
     "ゾーンがパブリックであること、CAAレコードが認証局を許可していることを確認してください"),
    ("acme-too-late",
     "run it again: nothing is lost, and records left behind are removed",
     "もう一度実行してください。失われるものはなく、残ったレコードは削除されます"),

    // The task definition.
    ("taskdef-not-deployed",
     "check the family, the region and whose account it is; `deploy` registers one",
     "ファミリー名、リージョン、アカウントを確認してください。タスク定義は`deploy`で登録されます"),
    ("region-missing",
     "name the region that the task definition was registered in",
     "タスク定義を登録したリージョンを指定してください"),

    // AWS: sign-in, network, permissions.
    ("no-credentials",
     "sign in (`aws sso login`), or set AWS_PROFILE or the AWS_ACCESS_KEY_ID family; `deploy --sandbox` needs none",
     "`aws sso login`でサインインするか、AWS_PROFILEまたはAWS_ACCESS_KEY_IDなどを設定してください。`deploy --sandbox`には不要です"),
    ("endpoint-unreachable",
     "nothing answers there: check the network, the proxy and [endpoint] in the config, and whether the emulator runs",
     "接続できません。ネットワーク、プロキシ、設定の[endpoint]、エミュレーターの起動を確認してください"),
    ("endpoint-timeout",
     "the other side took the connection and did not answer in time; run again, and if it stays so, check [endpoint] and the proxy",
     "接続先が時間内に応答しませんでした。再実行し、続く場合は[endpoint]とプロキシを確認してください"),
    ("answer-lost",
     "the answer was lost, so the call may have taken effect; run again, and what is there already is found",
     "応答が失われたため、処理が完了している可能性があります。再実行すると既存のものは検出されます"),
    ("answer-incomplete",
     "the service left out something it promises; run again, and with an emulator look whether it supports this",
     "応答に必要な情報がありません。再実行し、エミュレーターの場合は対応状況を確認してください"),
    ("service-failed",
     "the service had a fault of its own; run again in a few minutes",
     "サービス側の障害です。数分後に再実行してください"),
    ("throttled",
     "AWS asks to slow down; run again in a minute, what is done stays done",
     "AWSのリクエスト制限に達しました。少し待って再実行してください。完了済みの作業は保持されます"),
    ("access-denied",
     "the signed-in identity may not do this: ask for the permission the message names, or sign in as another",
     "権限がありません。メッセージに示された権限を依頼するか、別のIDでサインインしてください"),
    ("refused",
     "AWS refused the request as it stands; the cause names the reason",
     "AWSがリクエストを拒否しました。理由は原因の欄にあります"),
    ("request-invalid",
     "the request could not be built, which is a fault of this tool: please report it",
     "リクエストを作成できませんでした。本ツールの不具合ですのでご報告ください"),
    ("wait-timeout",
     "it is still going on; run again, and the run goes on from there",
     "処理がまだ続いています。再実行すると続きから始まります"),

    // The plan.
    ("stranger",
     "something with this name exists and is not ours. Three choices: set `[ownership]` of the node to \"adopted\" (tagged and corrected, never deleted) or \"referenced\" (only read), or choose another `name`",
     "同じ名前のものが既に存在します。選択肢は3つです: `[ownership]`でそのノードを\"adopted\"(タグ付けと修正のみ、削除しない)または\"referenced\"(参照のみ)にする、または別の`name`を使う"),
    ("blocked",
     "nothing was changed; the plan shows the reason at the blocked step",
     "何も変更していません。計画のブロックされた手順に理由があります"),
    ("referenced-differs",
     "a referenced thing is never changed: correct it where it is managed, or make it \"adopted\" in [ownership]",
     "参照のみのものは変更しません。管理元で修正するか、[ownership]で\"adopted\"にしてください"),
    ("adopted-differs",
     "an adopted thing is never replaced: change it by hand, or set the config to what is there",
     "既存のものは置き換えません。手作業で変更するか、設定を現状に合わせてください"),
    ("would-lose-data",
     "the replacement would lose data; keep the old setting, or name the loss with the flag the plan shows",
     "置き換えるとデータが失われます。元の設定に戻すか、計画に示されたフラグで明示的に許可してください"),
    ("zone-twice",
     "name one subnet a zone in network.subnets: balancer and file systems take no second one (C08, C09)",
     "network.subnetsには、ゾーンごとに1つのサブネットだけを指定してください(C08、C09)"),
    ("leftovers",
     "run destroy again; what is still listed then has to be looked at by hand",
     "もう一度destroyを実行し、それでも残るものは手作業で確認してください"),
    ("one-zone",
     "name subnets in at least two availability zones in network.subnets (C09)",
     "network.subnetsには、2つ以上のアベイラビリティーゾーンのサブネットを指定してください(C09)"),
    ("no-egress",
     "tasks in these subnets reach neither the vault nor the image registry: add a NAT, or set network.assign_public_ip (C19)",
     "このサブネットのタスクはボルトやイメージレジストリに接続できません。NATを追加するか、network.assign_public_ipを設定してください(C19)"),
    ("vpc-dns-off",
     "turn on DNS support and DNS host names of the VPC; file systems are mounted by name (C08)",
     "VPCのDNS解決とDNSホスト名を有効にしてください。EFSは名前でマウントされます(C08)"),
    ("plan-got-worse",
     "things changed since the plan was confirmed, and going on would do more than you agreed to: run again and look at the new plan",
     "計画の確認後に状況が変わり、同意した以上の変更が必要になりました。再実行して新しい計画を確認してください"),
    ("locked",
     "another run works on this deployment; wait for it, or if it is gone for certain, use `unlock`",
     "別の実行がこのデプロイを処理中です。終了を待つか、確実に終了している場合は`unlock`を使ってください"),
    ("lock-lost",
     "the lock expired or was taken over, so this run stopped; look who else works here, then run again",
     "ロックの期限切れ、または他の実行に引き継がれたため停止しました。他の作業者を確認してから再実行してください"),
    ("cancelled",
     "calls in flight were finished and nothing new was started; run again, and the run goes on from there",
     "実行中の呼び出しは完了し、新しい処理は開始していません。再実行すると続きから始まります"),
    ("not-confirmed",
     "nothing was changed; answer yes, or pass --yes where nobody can answer",
     "何も変更していません。「yes」と答えるか、応答できない環境では--yesを指定してください"),

    // DNS and service.
    ("dns-zone-not-found",
     "no public zone of this account owns the host: name it in dns.zone_id, or set `mode = \"manual\"` in [dns] (C22)",
     "このアカウントにホスト名を管理するパブリックゾーンがありません。dns.zone_idを指定するか、[dns]で`mode = \"manual\"`にしてください(C22)"),
    ("dns-not-resolving",
     "create the CNAME that was printed, then run again; a new record may take minutes to be seen",
     "表示されたCNAMEレコードを作成し、再実行してください。反映に数分かかることがあります"),
    ("service-not-stable",
     "read the log stream of the init container first: a failing init stops the task before the Automator starts",
     "まずinitコンテナのログを確認してください。initが失敗するとオートメーター起動前にタスクが停止します"),

    // The sandbox.
    ("sandbox-failed",
     "the message names the one command that installs what is missing",
     "不足しているものをインストールするコマンドがメッセージに示されています"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_spelt_alike() {
        let unique: BTreeSet<_> = codes().collect();
        assert_eq!(unique.len(), codes().count());
        for code in unique {
            assert!(code.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{code}");
        }
    }

    #[test]
    fn every_hint_is_in_both_languages() {
        for code in codes() {
            let english = hint(code, Lang::En).unwrap();
            let japanese = hint(code, Lang::Ja).unwrap();
            assert!(!english.is_empty() && !english.contains('\n'), "{code}");
            assert!(japanese.chars().any(|c| ('\u{3040}'..'\u{a000}').contains(&c)), "{code}");
            assert!(!english.chars().any(|c| ('\u{3040}'..'\u{a000}').contains(&c)), "{code}");
        }
        assert_eq!(hint("no-such-code", Lang::En), None);
    }

    #[test]
    fn a_stranger_has_three_ways_out_in_both_languages() {
        for lang in Lang::ALL {
            let text = hint("stranger", lang).unwrap();
            assert!(["adopted", "referenced", "`name`"].iter().all(|way| text.contains(way)), "{text}");
        }
    }
}
