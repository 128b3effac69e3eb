//! `taskdef render`: step A8 as a document, ours or the guide's own.

use std::path::PathBuf;

use clap::Args;
use taskdef::{
    Attachments, Description, GuideValues, Images, Ksm, KsmConfig, PlainConfig, Shape, TaskDefinition, Volume, Volumes,
};

use crate::catalogue::{Correction, Lang};
use crate::cli::Format;
use crate::commands::session::usage;
use crate::config::{self, Config};
use crate::exit_codes::ExitCode;
use crate::guide::Names;
use crate::host::Host;
use crate::show::Show;

#[derive(Args)]
pub(crate) struct Options {
    /// Read this config file.
    #[arg(long, default_value = "automator.toml")]
    config: PathBuf,
    /// Print the guide's own document instead: it leaks the device configuration (C05).
    #[arg(long)]
    guide_exact: bool,
    /// List on standard error what differs from the guide's document, and why.
    #[arg(long, conflicts_with = "guide_exact")]
    explain: bool,
    /// The execution role.
    #[arg(long, default_value = "arn:aws:iam::XXX:role/ECSTaskWritetoLogs")]
    execution_role_arn: String,
    /// The task role.
    #[arg(long, default_value = "arn:aws:iam::XXX:role/TASK")]
    task_role_arn: String,
    /// The file system for the configuration.
    #[arg(long, default_value = "fs-XXX")]
    config_file_system: String,
    /// The file system for the settings.
    #[arg(long, default_value = "fs-XXX")]
    settings_file_system: String,
    /// The access point for the configuration.
    #[arg(long, default_value = "fsap-XXX")]
    config_access_point: String,
    /// The access point for the settings.
    #[arg(long, default_value = "fsap-XXX")]
    settings_access_point: String,
    /// The record that holds the three files, where the config does not name it.
    #[arg(long, default_value = "XXXXXXXXXXXXXXXXXXXXXX")]
    record_uid: taskdef::RecordUid,
    /// The secret with the device configuration.
    #[arg(long, default_value = "arn:aws:secretsmanager:XXX")]
    secret_arn: String,
}

/// What stands in the guide where the device configuration belongs. The value itself is never printed.
const CONFIG_PLACEHOLDER: &str = "XXXCONFIGXXX";

pub(super) fn run(host: &Host, lang: Lang, options: &Options) -> ExitCode {
    let show = Show::new(host.clone(), lang, Format::Text, false);
    let config = match config::load(&options.config) {
        Ok(config) => config,
        Err(error) => return show.refuse(&usage(&show, &error)),
    };
    let guide = guide(&config, options);
    let document = if options.guide_exact { guide.clone() } else { ours(&config, options) };
    host.out(&format!("{:#}\n", document.to_value()));
    if options.explain {
        let corrections = taskdef::corrections(&guide, &document);
        for explained in corrections.explained {
            let ids = explained.reasons.iter().map(|reason| {
                let id = reason.id();
                let text = id.parse::<Correction>().map(|correction| correction.text(lang)).unwrap_or_default();
                format!("{id} {text}").trim().to_owned()
            });
            let ids: Vec<String> = ids.collect();
            host.talk(&format!("{}  {}\n", explained.difference.pointer, ids.join("; ")));
        }
        for difference in corrections.unexplained {
            host.talk(&format!("{}  ?\n", difference.pointer));
        }
    }
    ExitCode::Done
}

fn guide(config: &Config, options: &Options) -> TaskDefinition {
    Description::guide_exact(&GuideValues {
        ksm_config: PlainConfig(CONFIG_PLACEHOLDER.to_owned()),
        record_uid: record(config, options),
        config_file_system: options.config_file_system.clone(),
        settings_file_system: options.settings_file_system.clone(),
        execution_role_arn: options.execution_role_arn.clone(),
        region: config.region.to_string(),
    })
}

fn ours(config: &Config, options: &Options) -> TaskDefinition {
    let names = Names::of(config);
    let volume = |file_system: &str, access_point: &str| Volume {
        file_system_id: file_system.to_owned(),
        access_point_id: Some(access_point.to_owned()),
    };
    Description {
        family: names.family(),
        region: config.region.to_string(),
        log_group: names.log_group(),
        cpu: config.task.cpu,
        memory: config.task.memory,
        architecture: None,
        execution_role_arn: options.execution_role_arn.clone(),
        task_role_arn: Some(options.task_role_arn.clone()),
        shape: Shape::Ksm(Ksm {
            images: Images { init: config.task.init_image.clone(), main: config.task.image.clone() },
            record_uid: record(config, options),
            attachments: if config.guide_exact_names {
                Attachments::guide()
            } else {
                Attachments::generation("SERIAL", "HASH")
            },
            ksm_config: KsmConfig::Secret(options.secret_arn.clone()),
            volumes: Volumes {
                config: volume(&options.config_file_system, &options.config_access_point),
                settings: volume(&options.settings_file_system, &options.settings_access_point),
            },
        }),
    }
    .render()
}

fn record(config: &Config, options: &Options) -> taskdef::RecordUid {
    let named = config.keeper.record_uid().map(|uid| uid.as_str().parse());
    named.map_or_else(|| options.record_uid.clone(), |uid| uid.expect("the config has checked it by the same rule"))
}
