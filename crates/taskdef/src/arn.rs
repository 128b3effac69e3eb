//! Amazon resource names.

/// The parts of an ARN, as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    pub(crate) partition: &'a str,
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: &'a str,
}

impl<'a> Arn<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next();
        if next()? != "arn" {
            return None;
        }
        let (partition, service, region, account, resource) = (next()?, next()?, next()?, next()?, next()?);
        let sound = partition.starts_with("aws")
            && !service.is_empty()
            && !resource.is_empty()
            && !text.contains(char::is_whitespace);
        sound.then_some(Self { partition, service, region, account, resource })
    }

    /// Whether this is the ARN of a role.
    pub(crate) fn is_role(&self) -> bool {
        let account = self.account.len() == 12 && self.account.bytes().all(|byte| byte.is_ascii_digit());
        let name = self.resource.strip_prefix("role/").is_some_and(|name| !name.is_empty() && !name.ends_with('/'));
        self.service == "iam" && self.region.is_empty() && account && name
    }

    /// Whether ECS can fetch a value from here.
    pub(crate) fn is_secret(&self) -> bool {
        match self.service {
            "secretsmanager" => {
                let secret = self.resource.strip_prefix("secret:").filter(|name| !name.starts_with(':'));
                // The name alone, or with JSON key, stage and version, of which each may be empty.
                !self.region.is_empty()
                    && secret.is_some_and(|name| !name.is_empty() && matches!(name.split(':').count(), 1 | 4))
            }
            "ssm" => {
                !self.region.is_empty() && self.resource.strip_prefix("parameter/").is_some_and(|name| !name.is_empty())
            }
            _ => false,
        }
    }
}

/// The partition a region belongs to.
pub(crate) fn partition(region: &str) -> &'static str {
    const PREFIXES: &[(&str, &str)] = &[
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_told_apart() {
        let role = |text: &str| Arn::parse(text).is_some_and(|arn| arn.is_role());
        assert!(role("arn:aws:iam::111122223333:role/team/automator"));
        assert!(!role("arn:aws:iam::XXX:role/automator"));
        assert!(!role("arn:aws:iam::111122223333:user/automator"));
        assert!(!role("automator"));
        let secret = |text: &str| Arn::parse(text).is_some_and(|arn| arn.is_secret());
        assert!(secret("arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf:key::"));
        assert!(secret("arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf"));
        for tail in ["", ":key", ":key:", ":key:::", "::::"] {
            let name = if tail.is_empty() { "" } else { "a-AbCdEf" };
            let arn = format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}{tail}");
            assert!(!secret(&arn), "{arn}");
        }
        assert!(secret("arn:aws:ssm:eu-west-1:111122223333:parameter/a"));
        assert!(!secret("arn:aws:s3:::bucket"));
    }

    #[test]
    fn regions_know_their_partition() {
        for (region, expected) in [
            ("eu-west-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-isob-east-1", "aws-iso-b"),
        ] {
            assert_eq!(partition(region), expected);
        }
    }
}
