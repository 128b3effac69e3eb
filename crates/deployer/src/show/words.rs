//! The few sentences of the commands, in both languages. Steps, corrections and hints stand in the catalogue.

use crate::catalogue::Lang;

macro_rules! words {
    ($($name:ident: $en:literal, $ja:literal;)*) => {$(
        pub(crate) fn $name(lang: Lang) -> &'static str {
            match lang { Lang::En => $en, Lang::Ja => $ja }
        }
    )*};
}

words! {
    apply_question: "Apply these changes?", "この変更を適用しますか?";
    step_question: "is it done?", "完了しましたか?";
    destroy_question: "What its file systems, its secret and its logs hold is lost for good. Destroy everything of this deployment that is ours?", "ファイルシステム、シークレット、ログの内容は復元できません。このデプロイメントのうち本ツールが作成したものをすべて削除しますか?";
    sandbox_tidies: "the sandbox is torn down again; keep it with --keep", "サンドボックスを片付けます (--keep で残せます)";
    sandbox_is_empty: "nothing is left in the sandbox", "サンドボックスには何も残っていません";
    sandbox_ends: "the sandbox has ended", "サンドボックスを終了しました";
    done: "done", "完了";
    kept: "kept", "変更なし";
    created: "created", "作成";
    updated: "updated", "更新";
    replaced: "replaced", "置換";
    destroyed: "destroyed", "削除";
    was_absent: "was not there", "存在せず";
    retired: "what it replaced is gone", "旧リソースを削除";
    spared: "left alone, not ours", "対象外 (本ツールの所有ではない)";
    failed: "failed", "失敗";
    skipped_because: "skipped because of", "次の失敗によりスキップ:";
    not_checked: "confirmed, not checked", "確認済み (検査なし)";
    waits_for_you: "waits for you:", "手作業待ち:";
    waits: "waits", "待機";
    not_started: "not started", "未開始";
    left_out: "not asked for", "対象外";
    failed_to: "failed to", "失敗:";
    expected: "expected", "期待値";
    hint: "hint", "ヒント";
    step: "step", "ステップ";
    warning: "warning", "警告";
    after_apply: "(after apply)", "(適用後に確定)";
}
