//! The rules as a table. Ids stay; they stand in configuration files and in the histories of code scanning.

use super::finding::{Rule, Severity};

macro_rules! rules {
    ($($name:ident $severity:ident $id:literal: $title:literal, fix $fix:literal, says $source:literal;)+) => {
        $(
            pub(super) const $name: Rule =
                Rule { id: $id, severity: Severity::$severity, title: $title, fix: $fix, source: $source };
        )+

        /// Every rule, in the order in which a document is read.
        pub const RULES: &[Rule] = &[$($name),+];
    };
}

rules! {
    // The task.
    FAMILY Error "family": "The family is 1 to 255 letters, digits, hyphens and underscores.",
        fix "give the family a plain name",
        says "ECS: RegisterTaskDefinition requires a family and limits its characters.";
    NOT_FARGATE Error "not-fargate": "The definition says that it is to run on Fargate.",
        fix "add FARGATE to requiresCompatibilities",
        says "ECS: without it the Fargate rules are not checked at registration, and the service is refused later.";
    NETWORK_MODE Error "network-mode": "Fargate tasks use the network mode awsvpc.",
        fix "set networkMode to awsvpc",
        says "ECS: Fargate gives every task a network interface of its own and knows no other mode; the default is bridge.";
    TASK_SIZE_MISSING Error "task-size-missing": "CPU and memory are given for the task.",
        fix "set cpu and memory beside family, not only on containers",
        says "ECS: both are required for Fargate.";
    TASK_SIZE_FORMAT Error "task-size-format": "CPU is written like 2048 or 2 vCPU, memory like 5120 or 5 GB.",
        fix "write a whole number as text",
        says "ECS: those are the two spellings that registration takes.";
    TASK_SIZE Error "task-size": "CPU and memory of the task are a pair that Fargate offers.",
        fix "choose a pair of the Fargate table",
        says "ECS: Fargate offers CPU sizes from 256 to 16384 units, each with its own range and step of memory.";
    CPU_SUM Error "container-cpu-sum": "The containers together ask for no more CPU than the task has.",
        fix "lower the containers' cpu or raise the task's",
        says "ECS: registration refuses a sum above the task's size.";
    MEMORY_SUM Error "container-memory-sum": "The containers together ask for no more memory than the task has.",
        fix "lower the containers' memory or raise the task's",
        says "ECS: registration refuses a sum above the task's size; memoryReservation counts instead of memory where it is given.";
    PID_MODE Error "pid-mode": "On Fargate, processes are shared within the task or not at all.",
        fix "remove pidMode or set it to task",
        says "ECS: there is no host whose processes could be shared.";
    FARGATE_TASK Error "fargate-task-parameter": "Members that need an instance of one's own stay out.",
        fix "remove the member",
        says "ECS: Fargate knows neither ipcMode, placementConstraints nor inferenceAccelerators.";
    STORAGE Error "ephemeral-storage": "Scratch space is 21 to 200 GiB when it is given.",
        fix "choose 21 to 200, or leave the member out for 20",
        says "ECS: Fargate tasks have 20 GiB; the member is only for more, up to 200.";
    PLATFORM Error "runtime-platform": "Processor and operating system exist on Fargate and go together.",
        fix "use X86_64 or ARM64 with LINUX, or X86_64 with a Windows Server 2019 or later",
        says "ECS: Windows tasks run on Intel only, have 1 to 4 vCPU and mount no EFS.";
    TAGS Error "tags": "At most 50 tags, each key once, none starting with aws:.",
        fix "remove or rename the tag",
        says "ECS: limits of tags at registration.";

    // Containers.
    NO_CONTAINERS Error "no-containers": "A task has at least one container.",
        fix "add a container",
        says "ECS: containerDefinitions must not be empty.";
    TOO_MANY_CONTAINERS Error "too-many-containers": "A task has at most 10 containers.",
        fix "split the task",
        says "ECS: service quota that cannot be raised.";
    CONTAINER_NAME Error "container-name": "A container has a name of 1 to 255 letters, digits, hyphens and underscores.",
        fix "give the container a plain name",
        says "ECS: registration refuses other names.";
    CONTAINER_TWICE Error "container-twice": "No two containers share a name.",
        fix "rename one of them",
        says "ECS: dependencies, services and overrides refer to containers by name.";
    NO_ESSENTIAL Error "no-essential": "At least one container is essential.",
        fix "make the container that is the service essential",
        says "ECS: a task without an essential container is refused.";
    IMAGE Error "image": "An image is repository[:tag] or repository@sha256:digest, without blanks.",
        fix "write registry/repository:tag in lower case",
        says "ECS: images follow Docker's references; a digest is sha256 with 64 hexadecimal digits.";
    IMAGE_UNPINNED Warning "image-unpinned": "The image names a version.",
        fix "pin a version tag or a digest (C14)",
        says "Correction C14: latest is resolved anew at each deployment, so any redeploy may be an upgrade nobody asked for.";
    CONTAINER_CPU Error "container-cpu": "CPU units of a container are not negative.",
        fix "use 0 or more units, 1024 to a vCPU",
        says "ECS: units are shares of the task.";
    CONTAINER_MEMORY Error "container-memory": "A container has at least 6 MiB, and its soft limit is below its hard one.",
        fix "raise memory or lower memoryReservation",
        says "ECS: Docker starts nothing below 6 MiB; with both limits given, memory is the larger.";
    FARGATE_CONTAINER Error "fargate-container-parameter": "Members that need an instance of one's own stay out.",
        fix "remove the member",
        says "ECS: Fargate offers no privileged mode, links, host names, DNS and host entries, devices, swap, shared memory size, GPUs or Docker security options.";
    CAPABILITY Error "fargate-capability": "The only Linux capability Fargate adds is SYS_PTRACE.",
        fix "remove the capability from add",
        says "ECS: KernelCapabilities on Fargate.";
    STOP_TIMEOUT Error "timeout": "startTimeout and stopTimeout are 2 to 120 seconds.",
        fix "choose 2 to 120",
        says "ECS: limits on Fargate.";
    ULIMIT Error "ulimit": "A limit has a name the kernel knows and a soft value not above the hard one.",
        fix "lower softLimit or raise hardLimit",
        says "Linux: setrlimit refuses the rest, and the container does not start.";
    HEALTH_COMMAND Error "health-command": "A health check starts with CMD or CMD-SHELL and says what to run.",
        fix "start the command with CMD-SHELL and the line to run",
        says "ECS: other first words are refused.";
    HEALTH_RANGE Error "health-range": "Interval 5 to 300, timeout 2 to 60, retries 1 to 10, start period 0 to 300.",
        fix "choose a value in the range",
        says "ECS: limits of HealthCheck.";

    // Ports.
    PORT_NUMBER Error "port-number": "A port is 1 to 65535.",
        fix "choose a port from 1 to 65535",
        says "TCP and UDP.";
    PORT_RANGE Error "port-range": "A range of ports is FIRST-LAST, and stands alone.",
        fix "give either containerPort or containerPortRange",
        says "ECS: containerPortRange excludes containerPort and hostPort.";
    PORT_PROTOCOL Error "port-protocol": "A port is tcp or udp.",
        fix "use tcp or udp",
        says "ECS: PortMapping.";
    HOST_PORT Error "host-port": "With awsvpc the outer port is the inner one.",
        fix "remove hostPort or make it equal to containerPort",
        says "ECS: the task has an address of its own, nothing is mapped.";
    PORT_TWICE Error "port-twice": "No two mappings of a task share port and protocol.",
        fix "let one of the containers listen elsewhere",
        says "ECS: with awsvpc all containers of a task share one network interface.";
    PORT_NAME Error "port-name": "No two ports of a task share a name.",
        fix "rename one of them",
        says "ECS: Service Connect finds ports by name.";

    // Dependencies.
    DEPENDS_UNKNOWN Error "depends-unknown": "A dependency names a container of the task.",
        fix "correct containerName",
        says "ECS: registration refuses unknown names.";
    DEPENDS_CONDITION Error "depends-condition": "A dependency has a condition: START, COMPLETE, SUCCESS or HEALTHY.",
        fix "set one of the four conditions",
        says "ECS: ContainerDependency.";
    DEPENDS_CYCLE Error "depends-cycle": "No container waits for itself, directly or through others.",
        fix "remove one dependency of the circle",
        says "ECS: registration refuses circles.";
    DEPENDS_ESSENTIAL Error "depends-essential": "Nothing waits for the end of an essential container.",
        fix "set essential to false on the container that is to end",
        says "ECS: the end of an essential container stops the task, so COMPLETE and SUCCESS could never be followed.";
    DEPENDS_HEALTH Error "depends-health": "Who waits for HEALTHY waits for a container with a health check.",
        fix "add a healthCheck there, or wait for START",
        says "ECS: without a check the condition never comes true.";

    // Volumes and mounts.
    VOLUME_NAME Error "volume-name": "A volume has a name of 1 to 255 letters, digits, hyphens and underscores.",
        fix "give the volume a plain name",
        says "ECS: mounts refer to volumes by name.";
    VOLUME_TWICE Error "volume-twice": "No two volumes share a name.",
        fix "rename one of them",
        says "ECS: mounts refer to volumes by name.";
    VOLUME_UNUSED Warning "volume-unused": "Every volume is mounted somewhere.",
        fix "mount it or remove it",
        says "A file system that is attached but not used costs start time and hides a typo in a mount.";
    VOLUME_KIND Error "volume-kind": "A volume is of one kind.",
        fix "keep one of the configurations",
        says "ECS: host, EFS and the other configurations exclude each other.";
    FARGATE_VOLUME Error "fargate-volume": "Volumes on Fargate are scratch space, EFS, S3 files, or given at launch.",
        fix "use efsVolumeConfiguration, or nothing but a name for scratch space",
        says "ECS: there is no host directory, no Docker volume driver and no FSx on Fargate.";
    MOUNT_UNKNOWN Error "mount-unknown-volume": "A mount names a volume of the task.",
        fix "add the volume or correct sourceVolume",
        says "ECS: registration refuses unknown names.";
    MOUNT_PATH Error "mount-path": "A mount has an absolute path.",
        fix "write the whole path",
        says "Docker: mount targets are absolute.";
    MOUNT_TWICE Error "mount-twice": "No two mounts of a container share a path.",
        fix "mount one of them elsewhere",
        says "Docker: duplicate mount points are refused when the container is created.";
    VOLUMES_FROM Error "volumes-from": "volumesFrom names another container of the task.",
        fix "correct sourceContainer",
        says "ECS: registration refuses unknown names.";
    EFS_ID Error "efs-id": "A file system id is fs- and hexadecimal digits, an access point id is fsap- and hexadecimal digits.",
        fix "copy the id from EFS",
        says "EFS: the form of its ids.";
    EFS_TRANSIT Error "efs-transit-encryption": "IAM authorization and access points need encryption in transit.",
        fix "set transitEncryption to ENABLED",
        says "ECS: EFSVolumeConfiguration requires TLS for both.";
    EFS_ROOT Error "efs-access-point-root": "With an access point the root directory is / or absent.",
        fix "remove rootDirectory",
        says "ECS: the access point decides the directory.";
    EFS_ROOT_PATH Error "efs-root": "The root directory is an absolute path.",
        fix "write the whole path",
        says "EFS: directories are named from the root of the file system.";
    EFS_TASK_ROLE Error "efs-task-role": "IAM authorization needs a task role.",
        fix "set taskRoleArn to a role that may mount (C07)",
        says "EFS: the mount asks IAM about the task role; without one it is anonymous and refused.";
    EFS_PORT Error "efs-transit-port": "The TLS port is 1 to 65535 and goes with encryption in transit.",
        fix "remove transitEncryptionPort or enable the encryption",
        says "ECS: the port is where the mount helper listens.";
    EFS_PLAIN Warning "efs-plain": "Files travel encrypted.",
        fix "set transitEncryption to ENABLED",
        says "ECS leaves it off when nothing is said; the private key would cross the network in the open.";
    EFS_OPEN Warning "efs-open": "IAM decides who may mount.",
        fix "use an access point with iam ENABLED and a task role (C07)",
        says "Correction C07: otherwise anything that reaches port 2049 reads the private key.";
    SWITCH_WORD Error "switch": "Switches are ENABLED or DISABLED.",
        fix "use ENABLED or DISABLED",
        says "ECS: EFSVolumeConfiguration.";

    // Logs.
    LOG_NONE Warning "log-none": "Every container says where its output goes.",
        fix "add a logConfiguration",
        says "On Fargate there is no host to look at; without a driver the reason of a failed start is lost.";
    LOG_DRIVER Error "log-driver": "Fargate knows the drivers awslogs, awsfirelens and splunk.",
        fix "use one of the three",
        says "ECS: LogConfiguration on Fargate.";
    LOG_OPTION_MISSING Error "log-option-missing": "awslogs has a group, a region and a stream prefix.",
        fix "set awslogs-group, awslogs-region and awslogs-stream-prefix",
        says "ECS: the first two are required everywhere, the prefix on Fargate.";
    LOG_OPTION_UNKNOWN Error "log-option-unknown": "awslogs has only options it knows, as text.",
        fix "correct or remove the option",
        says "Docker: an unknown option of the driver stops the container from starting.";
    LOG_OPTION_VALUE Error "log-option-value": "Options of a log driver have values it can read.",
        fix "correct the value",
        says "ECS and Docker: mode is blocking or non-blocking, max-buffer-size needs non-blocking, only one multiline pattern.";
    LOG_GROUP Error "log-group": "A log group is 1 to 512 letters, digits and _ - / . #.",
        fix "correct awslogs-group",
        says "CloudWatch Logs: names of log groups.";
    LOG_CREATES_GROUP Warning "log-creates-group": "The log group exists before the task.",
        fix "make the group first and remove awslogs-create-group (C10)",
        says "Correction C10: the managed policy of the execution role does not allow creating groups.";
    FIRELENS Error "firelens": "awsfirelens goes with exactly one container that is the log router.",
        fix "add firelensConfiguration to one container",
        says "ECS: the router is a container of the task.";

    // Variables and secrets.
    VARIABLE_NAME Error "variable-name": "A variable has a name without blanks and equals signs.",
        fix "name the variable",
        says "ECS and POSIX: environment entries are NAME=VALUE.";
    VARIABLE_TWICE Warning "variable-twice": "Each variable is set once.",
        fix "keep one of them",
        says "Which one wins is not documented.";
    SECRET_TWICE Error "secret-twice": "A fetched variable has a name of its own.",
        fix "remove the plain variable of the same name",
        says "ECS: the name of a secret must not be that of another secret or of a plain variable.";
    SECRET_REF Error "secret-ref": "A secret comes from Secrets Manager or Parameter Store.",
        fix "give the ARN of a secret or parameter, or the name of a parameter in the same region",
        says "ECS: other ARNs are refused when the task starts.";
    ENVIRONMENT_FILE Error "environment-file": "An environment file is an S3 object that ends in .env; at most 10 of them.",
        fix "give the object's ARN with type s3",
        says "ECS: EnvironmentFile.";
    PLAIN_KSM_CONFIG Warning "plain-ksm-config": "The KSM configuration is fetched, not written down.",
        fix "store it in Secrets Manager and reference it under secrets (C05)",
        says "Correction C05: whoever may describe a revision, old ones included, holds the key to the vault.";
    PLAIN_SECRET_NAME Warning "plain-secret-name": "A variable that is named like a secret is fetched.",
        fix "move it to secrets",
        says "ECS: plain variables are readable by whoever may describe the definition.";
    PLAIN_SECRET_VALUE Warning "plain-secret-value": "Nothing that looks like a secret is written down.",
        fix "move it to secrets",
        says "ECS: commands, labels, log options and plain variables are readable by whoever may describe the definition.";

    // ARNs.
    ROLE_ARN Error "role-arn": "A role is given by its ARN, the task role by its name too.",
        fix "write arn:aws:iam::ACCOUNT:role/NAME",
        says "ECS: only taskRoleArn may be a bare name. IAM: the form of its ARNs.";
    EXECUTION_ROLE Error "execution-role": "Logs, secrets and private images need an execution role.",
        fix "set executionRoleArn",
        says "ECS: on Fargate ECS itself writes logs and fetches secrets, and needs a role for it.";
    PARTITION Error "partition": "ARNs and regions belong to one partition.",
        fix "use ARNs of the region's partition (C03)",
        says "AWS: aws, aws-cn and aws-us-gov share no accounts.";
    ACCOUNT Error "account": "Both roles belong to one account.",
        fix "use roles of the account that registers the definition",
        says "IAM: iam:PassRole does not reach across accounts.";
    REGION Warning "region": "Logs and secrets are in one region.",
        fix "use one region everywhere (C15)",
        says "Correction C15: the guide's own example mixes regions; a task in another region waits for an answer that may not come.";

    // The writer image.
    WRITER_ESSENTIAL Error "writer-essential": "The container that fetches files may end.",
        fix "set essential to false",
        says "ECS: the end of an essential container stops the task, and the writer ends when it is done.";
    WRITER_UNAWAITED Error "writer-unawaited": "Every essential container that shares a volume with the writer waits for its success.",
        fix "let the service depend on the writer with condition SUCCESS",
        says "Without the dependency the service may start on yesterday's certificate, or on none.";
    WRITER_CONFIG Error "writer-config": "The writer has a KSM_CONFIG and SECRETS to fetch.",
        fix "set KSM_CONFIG under secrets and SECRETS under environment; mind the spelling",
        says "Keeper: the writer image reads exactly these two names; some vendor pages misspell the first.";
    SECRETS_SYNTAX Error "secrets-syntax": "SECRETS has one entry a line, NOTATION > DESTINATION.",
        fix "use real line feeds and one blank on either side of >",
        says "Keeper: the documented form; what the image makes of anything else is not documented.";
    SECRETS_RECORD Warning "secrets-record": "A record is named by its UID.",
        fix "use the 22 characters of the UID",
        says "Keeper: titles are not unique, and two records of one title are an error at every task start.";
    SECRETS_PATH Error "secrets-path": "Files go to absolute paths on mounted, writable volumes.",
        fix "choose a path below a mount of the container",
        says "A file outside every mount is gone with the container that wrote it.";
    SECRETS_TWICE Error "secrets-twice": "No two entries share a destination.",
        fix "give each its own",
        says "The later would silently replace the earlier.";
    SECRETS_UNSHARED Error "secrets-unshared": "Files go to volumes that another container mounts too.",
        fix "mount the volume in the service",
        says "The service would start without the files.";

    // keeper.properties against the definition.
    SETTINGS_PROTOCOL Error "settings-target-protocol": "The balancer speaks to the service as the service speaks.",
        fix "use HTTPS unless ssl_mode is none (C01)",
        says "Correction C01: with the guide's HTTP the health check is green while every request fails.";
    SETTINGS_PORT Error "settings-port": "The service listens on the port that the definition opens.",
        fix "make automator_port and containerPort equal",
        says "The balancer sends requests to the container port.";
    SETTINGS_PASSWORDS Error "settings-passwords": "The two certificate passwords are equal, or empty.",
        fix "leave both empty and use the password file (C21)",
        says "Correction C21: the store and the key inside share one password.";
    SETTINGS_SNI Error "settings-sni": "Behind a balancer the server-name check is off.",
        fix "set disable_sni_check=true (C34)",
        says "Correction C34: the balancer does not present the certificate's name to its targets.";
    SETTINGS_CERTIFICATE Error "settings-certificate": "The service finds the certificate that the writer wrote.",
        fix "keep ssl_certificate_file=/config/ssl-certificate.pfx (C35)",
        says "Correction C35: the service resolves the path below /usr/mybin, where the volume is mounted.";
    SETTINGS_HOST Warning "settings-host": "The service's host name stays localhost.",
        fix "keep automator_host=localhost (C36)",
        says "Correction C36: the vendor's containers use it with published ports; other values were not seen to work.";
    SETTINGS_OVERRIDDEN Warning "settings-overridden": "A setting is given in one place.",
        fix "remove it from the environment or from the file",
        says "Keeper: the environment wins over the file, so the file says something that is not so.";

    // Habits.
    READONLY_ROOT Hint "readonly-root": "The root file system is read-only.",
        fix "set readonlyRootFilesystem to true if the image bears it",
        says "CIS and AWS's own controls: what cannot be written cannot be tampered with.";
    RUN_AS_USER Hint "run-as-user": "The process does not run as root.",
        fix "set user if the image bears it",
        says "CIS and AWS's own controls: a break-out starts with fewer rights.";
    NOFILE Hint "nofile": "The limit of open files is a decision.",
        fix "set ulimits with nofile",
        says "ECS: Fargate's own default differs between platform versions.";
}
