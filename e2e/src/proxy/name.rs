//! Which operation of which service a request is.

use super::message::Message;

/// Where Keeper's endpoints begin, for administrators and for devices. What is asked there is encrypted.
pub(super) const KEEPER: &str = "/api/rest/";

/// Service and operation of a request.
pub(super) fn name(request: &Message) -> (String, String) {
    let service = request
        .header("authorization")
        .and_then(|value| value.split_once("Credential="))
        .and_then(|(_, scope)| scope.split(',').next()?.split('/').nth(3))
        .unwrap_or("unsigned")
        .to_owned();
    let mut words = request.start.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if let Some(endpoint) = path.strip_prefix(KEEPER) {
        return ("keeper".to_owned(), endpoint.to_owned());
    }

    let operation = if let Some(target) = request.header("x-amz-target") {
        target.rsplit('.').next().unwrap_or(target).to_owned()
    } else if let Some(action) = action(request.body.as_slice()).or_else(|| action(query.as_bytes())) {
        action
    } else {
        let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let known = match segments.as_slice() {
            ["2015-02-01", rest @ ..] => file_system_operation(method, rest),
            ["2013-04-01", rest @ ..] => dns_operation(method, rest),
            _ => None,
        };
        known.map_or_else(|| format!("{method} {path}"), ToOwned::to_owned)
    };
    (service, operation)
}

/// The value of `Action` in a form.
fn action(form: &[u8]) -> Option<String> {
    let form = std::str::from_utf8(form).ok()?;
    let value = form.split('&').find_map(|pair| pair.strip_prefix("Action="))?;
    (!value.is_empty() && value.chars().all(char::is_alphanumeric)).then(|| value.to_owned())
}

/// EFS, <https://docs.aws.amazon.com/efs/latest/ug/API_Operations.html>.
fn file_system_operation(method: &str, path: &[&str]) -> Option<&'static str> {
    Some(match (method, path) {
        ("POST", ["file-systems"]) => "CreateFileSystem",
        ("GET", ["file-systems"]) => "DescribeFileSystems",
        ("PUT", ["file-systems", _]) => "UpdateFileSystem",
        ("DELETE", ["file-systems", _]) => "DeleteFileSystem",
        ("PUT", ["file-systems", _, "policy"]) => "PutFileSystemPolicy",
        ("GET", ["file-systems", _, "policy"]) => "DescribeFileSystemPolicy",
        ("DELETE", ["file-systems", _, "policy"]) => "DeleteFileSystemPolicy",
        ("PUT", ["file-systems", _, "backup-policy"]) => "PutBackupPolicy",
        ("GET", ["file-systems", _, "backup-policy"]) => "DescribeBackupPolicy",
        ("PUT", ["file-systems", _, "lifecycle-configuration"]) => "PutLifecycleConfiguration",
        ("GET", ["file-systems", _, "lifecycle-configuration"]) => "DescribeLifecycleConfiguration",
        ("PUT", ["file-systems", _, "protection"]) => "UpdateFileSystemProtection",
        ("POST", ["mount-targets"]) => "CreateMountTarget",
        ("GET", ["mount-targets"]) => "DescribeMountTargets",
        ("DELETE", ["mount-targets", _]) => "DeleteMountTarget",
        ("PUT", ["mount-targets", _, "security-groups"]) => "ModifyMountTargetSecurityGroups",
        ("GET", ["mount-targets", _, "security-groups"]) => "DescribeMountTargetSecurityGroups",
        ("POST", ["access-points"]) => "CreateAccessPoint",
        ("GET", ["access-points"]) => "DescribeAccessPoints",
        ("DELETE", ["access-points", _]) => "DeleteAccessPoint",
        ("POST", ["resource-tags", ..]) => "TagResource",
        ("GET", ["resource-tags", ..]) => "ListTagsForResource",
        ("DELETE", ["resource-tags", ..]) => "UntagResource",
        ("GET", ["tags", _]) => "DescribeTags",
        _ => return None,
    })
}

/// Route 53, <https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Amazon_Route_53.html>.
fn dns_operation(method: &str, path: &[&str]) -> Option<&'static str> {
    Some(match (method, path) {
        ("POST", ["hostedzone"]) => "CreateHostedZone",
        ("GET", ["hostedzone"]) => "ListHostedZones",
        ("GET", ["hostedzonesbyname"]) => "ListHostedZonesByName",
        ("GET", ["hostedzonesbyvpc"]) => "ListHostedZonesByVPC",
        ("GET", ["hostedzonecount"]) => "GetHostedZoneCount",
        ("GET", ["hostedzone", _]) => "GetHostedZone",
        ("POST", ["hostedzone", _]) => "UpdateHostedZoneComment",
        ("DELETE", ["hostedzone", _]) => "DeleteHostedZone",
        ("POST", ["hostedzone", _, "rrset"]) => "ChangeResourceRecordSets",
        ("GET", ["hostedzone", _, "rrset"]) => "ListResourceRecordSets",
        ("GET", ["change", _]) => "GetChange",
        ("POST", ["tags", _]) => "ListTagsForResources",
        ("POST", ["tags", _, _]) => "ChangeTagsForResource",
        ("GET", ["tags", _, _]) => "ListTagsForResource",
        _ => return None,
    })
}

pub(super) fn only_reads(operation: &str) -> bool {
    if let Some((family, endpoint)) = operation.split_once('/').filter(|(family, _)| !family.contains(' ')) {
        let reads =
            ["get_", "sync_down", "files_download", "automator_get", "automator_log_get", "automator_skills_get"];
        return ["authentication", "login"].contains(&family)
            || reads.iter().any(|word| endpoint.trim_start_matches("v1/").starts_with(word));
    }
    ["Describe", "List", "Get", "Simulate", "GET ", "HEAD "].iter().any(|word| operation.starts_with(word))
}
