//! Names: `{name}-{role}`, or those printed in the guide.

use crate::config::Config;

/// What everything of a deployment is called.
#[derive(Clone, Debug)]
pub struct Names {
    name: String,
    region: String,
    guide_exact: bool,
}

impl Names {
    /// The names of one deployment.
    pub fn of(config: &Config) -> Self {
        Self { name: config.name.to_string(), region: config.region.to_string(), guide_exact: config.guide_exact_names }
    }

    fn pick(&self, role: &str, guide: &str) -> String {
        if self.guide_exact { guide.to_owned() } else { format!("{}-{role}", self.name) }
    }

    /// The VPC, and the word in front of what belongs to it.
    pub fn network(&self) -> String {
        self.name.clone()
    }

    /// A2.
    pub fn log_group(&self) -> String {
        self.pick("logs", "automator-logs")
    }

    /// A3. IAM names are account-wide, so they carry the region.
    pub fn execution_role(&self) -> String {
        self.pick(&format!("execution-{}", self.region), "ECSTaskWritetoLogs")
    }

    /// X2. The guide has none.
    pub fn task_role(&self) -> String {
        format!("{}-task-{}", self.name, self.region)
    }

    /// A4. The guide uses the task group for the balancer, too (C11).
    pub fn balancer_group(&self) -> String {
        self.pick("alb", "MyAutomatorBalancer")
    }

    /// A4.
    pub fn task_group(&self) -> String {
        self.pick("task", "MyAutomatorService")
    }

    /// A5.
    pub fn efs_group(&self) -> String {
        self.pick("efs", "MyAutomatorEFS")
    }

    /// A6: `config` or `settings`.
    pub fn file_system(&self, role: &str) -> String {
        self.pick(role, &format!("automator_{role}"))
    }

    /// A7.
    pub fn cluster(&self) -> String {
        if self.guide_exact { "automator".to_owned() } else { self.name.clone() }
    }

    /// A8.
    pub fn family(&self) -> String {
        self.cluster()
    }

    /// A10: at most 32 characters, as for the balancer; the config's longest name leaves room for the suffix of a replacement.
    pub fn target_group(&self) -> String {
        self.pick("tg", "automatortargetgroup")
    }

    /// A11 (C16).
    pub fn balancer(&self) -> String {
        self.pick("alb", "automatoralb")
    }

    /// A12.
    pub fn service(&self) -> String {
        self.pick("service", "automatorservice")
    }

    /// K2. The vault is the administrator's own, so the deployment's name says enough.
    pub fn folder(&self) -> String {
        if self.guide_exact { "Automator".to_owned() } else { self.name.clone() }
    }

    /// K3.
    pub fn record(&self) -> String {
        self.folder()
    }

    /// K5.
    pub fn application(&self) -> String {
        self.folder()
    }

    /// K7.
    pub fn device(&self) -> String {
        self.pick("ecs", "Automator")
    }

    /// X1. The guide has none (C05).
    pub fn secret(&self) -> String {
        format!("{}/ksm-config", self.name)
    }
}
