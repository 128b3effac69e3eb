use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use super::*;

/// An emulator that gives these answers, one per connection, and hands out what it was asked.
fn upstream(answers: &'static [&'static str]) -> (String, mpsc::Receiver<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (asked, questions) = mpsc::channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") {
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            let head = String::from_utf8(request).unwrap();
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap_or("0");
            let mut body = vec![0; length.parse().unwrap()];
            stream.read_exact(&mut body).unwrap();
            asked.send(head + &String::from_utf8(body).unwrap()).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (endpoint, questions)
}

/// Sends bytes on one connection and returns all that comes back until it is closed.
fn talk(endpoint: &str, bytes: &str) -> String {
    let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn signed(start: &str, service: &str, headers: &str, body: &str) -> String {
    let scope = format!("AKIDEXAMPLE/20300101/eu-west-1/{service}/aws4_request");
    format!(
        "{start} HTTP/1.1\r\nHost: aws\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\
         Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n\r\n{body}",
        body.len()
    )
}

fn request(start: &str, headers: &[(&str, &str)], body: &str) -> Message {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Message { start: format!("{start} HTTP/1.1"), headers, body: body.into() }
}

#[test]
fn every_protocol_names_its_operation() {
    let json: &[_] = &[("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.CreateCluster")];
    let file_system = "PUT /2015-02-01/file-systems/fs-1/lifecycle-configuration";
    for (start, headers, body, operation, mutating) in [
        ("POST /", json, "{}", "CreateCluster", true),
        ("POST /", &[], "Action=DescribeVpcs&Version=2016-11-15", "DescribeVpcs", false),
        ("POST /", &[], "Version=2010-05-08&Action=CreateRole", "CreateRole", true),
        ("GET /?Action=DeleteRole&Version=2010-05-08", &[], "", "DeleteRole", true),
        ("POST /2015-02-01/file-systems", &[], "{}", "CreateFileSystem", true),
        ("GET /2015-02-01/mount-targets?FileSystemId=fs-1", &[], "", "DescribeMountTargets", false),
        (file_system, &[], "{}", "PutLifecycleConfiguration", true),
        ("POST /2015-02-01/resource-tags/fsap-1", &[], "{}", "TagResource", true),
        ("POST /2013-04-01/hostedzone/Z1/rrset/", &[], "<x/>", "ChangeResourceRecordSets", true),
        ("GET /2013-04-01/hostedzonesbyname?dnsname=example.com", &[], "", "ListHostedZonesByName", false),
        ("GET /2015-02-01/something/new", &[], "", "GET /2015-02-01/something/new", false),
        ("POST /api/rest/vault/records_add", &[], "\x0a", "vault/records_add", true),
        ("POST /api/rest/vault/sync_down", &[], "\x0a", "vault/sync_down", false),
        ("POST /api/rest/sm/v1/get_secret", &[], "\x0a", "sm/v1/get_secret", false),
        ("POST /api/rest/sm/v1/add_file", &[], "\x0a", "sm/v1/add_file", true),
        (
            "POST /api/rest/automator/automator_get_all_for_enterprise",
            &[],
            "",
            "automator/automator_get_all_for_enterprise",
            false,
        ),
        ("POST /api/rest/automator/automator_setup", &[], "", "automator/automator_setup", true),
        ("POST /api/rest/authentication/start_login", &[], "", "authentication/start_login", false),
        ("PATCH /2015-02-01/something/new?a=b", &[], "", "PATCH /2015-02-01/something/new", true),
    ] {
        let (_, found) = name(&request(start, headers, body));
        assert_eq!((found.as_str(), only_reads(&found)), (operation, !mutating), "{start}");
    }
}

#[test]
fn a_call_is_passed_on_and_written_down() {
    let (endpoint, questions) = upstream(&["HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"]);
    let proxy = RecordingProxy::start(&endpoint).unwrap();
    let target = "X-Amz-Target: secretsmanager.CreateSecret\r\n";
    let answer = talk(proxy.endpoint(), &signed("POST /", "secretsmanager", target, "{\"Name\":\"n\"}"));
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n") && answer.ends_with("\r\n\r\ngone"), "{answer}");
    let asked = questions.recv().unwrap();
    assert!(asked.contains("Host: aws\r\n") && asked.ends_with("{\"Name\":\"n\"}"), "{asked}");

    let calls = proxy.calls();
    let call = &calls[0];
    assert_eq!((call.service.as_str(), call.operation.as_str()), ("secretsmanager", "CreateSecret"));
    assert!(call.mutating && call.is_create() && !call.is_ok());
    assert_eq!((calls.len(), call.status, call.bytes_sent, call.fault), (1, Some(404), 12, None));
    assert!(call.ended.is_some_and(|ended| ended >= call.began));
    proxy.clear();
    assert_eq!(proxy.calls(), []);
}

#[test]
fn chunks_are_joined_both_ways() {
    let (endpoint, questions) = upstream(&[
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n",
    ]);
    let proxy = RecordingProxy::start(&endpoint).unwrap();
    let sent = "POST / HTTP/1.1\r\nHost: aws\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
                b\r\nAction=Crea\r\n5\r\nteVpc\r\n0\r\n\r\n";
    let answer = talk(proxy.endpoint(), sent);
    assert!(answer.contains("Content-Length: 5\r\n") && answer.ends_with("\r\n\r\nabcde"), "{answer}");
    assert!(!answer.contains("chunked"), "{answer}");
    assert!(questions.recv().unwrap().ends_with("\r\n\r\nAction=CreateVpc"));
    assert_eq!((proxy.calls()[0].operation.as_str(), proxy.calls()[0].bytes_sent), ("CreateVpc", 16));
    assert_eq!(proxy.calls()[0].service, "unsigned");
}

#[test]
fn a_connection_carries_several_calls() {
    let (endpoint, _questions) =
        upstream(&["HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1", "HTTP/1.0 200 OK\r\n\r\nuntil the end"]);
    let proxy = RecordingProxy::start(&endpoint).unwrap();
    let first = "POST / HTTP/1.1\r\nHost: aws\r\nContent-Length: 17\r\n\r\nAction=CreateRole";
    let answer = talk(proxy.endpoint(), &format!("{first}{}", signed("GET /2013-04-01/hostedzone", "route53", "", "")));
    assert!(answer.ends_with("until the end"), "{answer}");
    let calls = proxy.calls();
    assert_eq!(calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), ["CreateRole", "ListHostedZones"]);
}

#[test]
fn the_answer_to_a_head_request_has_no_body() {
    let (endpoint, _questions) = upstream(&["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"]);
    let proxy = RecordingProxy::start(&endpoint).unwrap();
    let answer = talk(proxy.endpoint(), "HEAD /x HTTP/1.1\r\nHost: aws\r\nConnection: close\r\n\r\n");
    assert!(answer.contains("Content-Length: 5\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(!proxy.calls()[0].mutating);
}

#[test]
fn a_lost_answer_leaves_the_call_without_status() {
    let (endpoint, _questions) = upstream(&[""]);
    let proxy = RecordingProxy::start(&endpoint).unwrap();
    assert_eq!(talk(proxy.endpoint(), &signed("POST /", "ec2", "", "Action=CreateVpc")), "");
    assert_eq!(proxy.calls()[0].status, None);
}

#[test]
fn an_emulator_that_does_not_listen_is_said() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = RecordingProxy::start(&format!("http://{free}")).unwrap();
    let answer = talk(proxy.endpoint(), &signed("POST /", "ec2", "", "Action=CreateVpc"));
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    assert_eq!(proxy.calls()[0].status, Some(502));
}

#[test]
fn a_marker_is_found_in_every_form() {
    const MARKER: &str = "marker value 4711";
    let (endpoint, _questions) = upstream(&["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"; 7]);
    let proxy = RecordingProxy::start(&endpoint).unwrap();
    let target = "X-Amz-Target: x.Stores\r\n";
    talk(proxy.endpoint(), &signed("POST /", "a", target, "{\"v\":\"marker value 4711\"}"));
    talk(proxy.endpoint(), &signed("POST /", "b", target, "v=marker+value%204711"));
    // "marker value 4711" with nothing, `x` and `xy` before it.
    for (service, encoded) in
        [("c", "bWFya2VyIHZhbHVlIDQ3MTE="), ("d", "eG1hcmtlciB2YWx1ZSA0NzEx"), ("e", "eHltYXJrZXIgdmFsdWUgNDcxMQ==")]
    {
        talk(proxy.endpoint(), &signed("POST /", service, target, encoded));
    }
    talk(proxy.endpoint(), &signed("POST /?v=marker%20value%204711", "f", target, ""));
    talk(proxy.endpoint(), &signed("POST /", "g", target, "marker value 471"));
    let services: Vec<_> = proxy.bodies_contain(MARKER).into_iter().map(|(service, _)| service).collect();
    assert_eq!(services, ["a", "b", "c", "d", "e", "f"]);
    assert!(!format!("{proxy:?}").contains("marker"), "the record is not printed");
}

/// The keys of AWS's own example of a signature.
fn account(elsewhere: Option<&str>) -> RealAccount {
    let keys = Credentials::from_keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None);
    let elsewhere = elsewhere.map(|url| loopback(url).unwrap());
    RealAccount::of("eu-west-1", SharedCredentialsProvider::new(keys), elsewhere)
}

#[tokio::test]
async fn a_real_account_is_signed_for_as_aws_shows() {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html in its version of 2015.
    let scope = "AKIAOTHER/20300101/eu-west-1/iam/aws4_request";
    let signed =
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=content-type;host;x-amz-date, Signature=0");
    let asked = request(
        "GET /?Action=ListUsers&Version=2010-05-08",
        &[
            ("Host", "127.0.0.1:1234"),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("user-agent", "not signed"),
            ("X-Amz-Date", "20300101T000000Z"),
            ("x-amz-security-token", "of another"),
            ("Authorization", &signed),
        ],
        "",
    );
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
    let (place, made) = account(None).signed(&asked, then).await.unwrap();
    assert_eq!((place.host.as_str(), place.plain), ("iam.amazonaws.com", None));
    assert_eq!(made.start, asked.start);
    let headers: Vec<_> =
        made.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str())).collect();
    let authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                         SignedHeaders=content-type;host;x-amz-date, \
                         Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    let mut expected = vec![
        ("host".to_owned(), "iam.amazonaws.com"),
        ("content-type".to_owned(), "application/x-www-form-urlencoded; charset=utf-8"),
        ("user-agent".to_owned(), "not signed"),
        ("x-amz-date".to_owned(), "20150830T123600Z"),
        ("authorization".to_owned(), authorization),
    ];
    expected[3..].sort();
    let mut headers = headers;
    headers[3..].sort();
    assert_eq!(headers, expected);
}

#[test]
fn each_service_of_a_real_account_has_its_place() {
    let host = |service: &str| account(None).place(service).host;
    assert_eq!(host("elasticfilesystem"), "elasticfilesystem.eu-west-1.amazonaws.com");
    assert_eq!(host("route53"), "route53.amazonaws.com");
}

#[test]
fn a_call_to_a_real_account_is_written_down_and_made_with_the_persons_keys() {
    let (there, questions) = upstream(&["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]);
    let proxy = RecordingProxy::before_account(account(Some(&there))).unwrap();
    let answer = talk(proxy.endpoint(), &signed("POST /", "ecs", "X-Amz-Target: E.CreateCluster\r\n", "{}"));
    assert!(answer.ends_with("ok"), "{answer}");
    let asked = questions.recv().unwrap();
    assert!(asked.contains("Credential=AKIDEXAMPLE/"), "{asked}");
    assert!(!asked.contains("/20300101/") && asked.matches("Signature=").count() == 1, "{asked}");
    assert!(asked.ends_with("{}"), "{asked}");
    let calls = proxy.calls();
    assert_eq!((calls.len(), calls[0].operation.as_str(), calls[0].status), (1, "CreateCluster", Some(200)));

    let answer = talk(proxy.endpoint(), "GET / HTTP/1.1\r\nHost: aws\r\nConnection: close\r\n\r\n");
    assert_eq!(answer, "", "what is not signed goes nowhere");
}

#[test]
fn only_this_machine_may_stand_behind_it() {
    for upstream in ["http://10.0.0.1:5000", "https://127.0.0.1:5000", "http://aws.example.com:80", "127.0.0.1:5000"] {
        assert_eq!(RecordingProxy::start(upstream).unwrap_err().kind(), ErrorKind::InvalidInput, "{upstream}");
    }
    for upstream in ["http://127.0.0.1:5000/", "http://localhost:5000", "http://[::1]:5000"] {
        RecordingProxy::start(upstream).unwrap();
    }
}

#[test]
fn it_ends_when_it_is_dropped() {
    let proxy = RecordingProxy::start("http://127.0.0.1:1").unwrap();
    let address = proxy.endpoint().trim_start_matches("http://").to_owned();
    drop(proxy);
    let ended = || TcpStream::connect(&address).is_err();
    let until = Instant::now() + Duration::from_secs(10);
    while !ended() {
        assert!(Instant::now() < until, "it still listens");
        std::thread::yield_now();
    }
}

#[test]
fn a_script_makes_calls_go_wrong() {
    let (endpoint, questions) = upstream(&["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbusy"; 4]);
    let proxy = RecordingProxy::start(&endpoint).unwrap();
    let ask = |action: &str, service: &str| {
        talk(proxy.endpoint(), &signed("POST /", service, "", &format!("Action={action}")))
    };
    proxy.set_script(|call| match call.operation.as_str() {
        "CreateVpc" => Some(Fault::Answer { status: 503, code: "RequestLimitExceeded".to_owned() }),
        "CreateRole" => Some(Fault::Answer { status: 400, code: "Throttling".to_owned() }),
        "CreateSubnet" => Some(Fault::CutBefore),
        "DeleteSubnet" => Some(Fault::CutAfter),
        "DeleteVpc" => {
            Some(Fault::Reword(Rewrite { operation: "DeleteVpc", reword: |text| text.replace("busy", "idle") }))
        }
        _ => None,
    });
    let refused = ask("CreateVpc", "ec2");
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("<Response><Errors><Error>"), "{refused}");
    let refused = ask("CreateRole", "iam");
    assert!(refused.contains("<ErrorResponse>") && refused.contains("<Code>Throttling</Code>"), "{refused}");
    assert_eq!(ask("CreateSubnet", "ec2"), "");
    assert!(questions.try_recv().is_err(), "none of these reached the emulator");
    assert_eq!(ask("DeleteSubnet", "ec2"), "");
    assert!(questions.recv().unwrap().ends_with("Action=DeleteSubnet"));
    assert!(ask("DeleteVpc", "ec2").ends_with("idle"));
    proxy.end_script();
    assert!(ask("DeleteVpc", "ec2").ends_with("busy"));
    let slow = Duration::from_millis(60);
    proxy.set_latency(slow);
    ask("DeleteVpc", "ec2");
    let call = proxy.calls().pop().unwrap();
    assert!(call.ended.unwrap() - call.began >= slow);
    let faults: Vec<_> = proxy.calls().iter().map(|call| call.fault).collect();
    assert_eq!(
        faults,
        [Some("refused"), Some("refused"), Some("cut before"), Some("cut after"), Some("reworded"), None, None]
    );
    assert!(proxy.calls()[3].status.is_none() && proxy.calls()[3].ended.is_some());
}

#[test]
fn a_stand_in_answers_for_a_service_that_is_not_there() {
    let (endpoint, _asked) = upstream(&["HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n"]);
    let proxy = RecordingProxy::start(&endpoint).unwrap();
    proxy.set_stand_ins(vec![StandIn { service: "ecs", operation: "ListClusters", body: r#"{"clusterArns":[]}"# }]);
    let ask =
        |service: &str| talk(proxy.endpoint(), &signed("POST /", service, "X-Amz-Target: X.ListClusters\r\n", "{}"));
    assert!(ask("ecs").ends_with(r#"{"clusterArns":[]}"#));
    assert!(ask("rds").starts_with("HTTP/1.1 501 "), "it is only this service's");
    assert_eq!(proxy.calls().iter().map(|call| call.status).collect::<Vec<_>>(), [Some(200), Some(501)]);
}

#[test]
fn two_doors_share_one_record() {
    let (one, _one) = upstream(&["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"]);
    let (two, _two) = upstream(&["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo"]);
    let proxy = RecordingProxy::start(&one).unwrap();
    let other = proxy.also(&two).unwrap();
    assert!(talk(&other, &signed("POST /", "ecs", "", "Action=A")).ends_with("two"));
    assert!(talk(proxy.endpoint(), &signed("POST /", "ec2", "", "Action=B")).ends_with("one"));
    let services: Vec<_> = proxy.calls().into_iter().map(|call| call.service).collect();
    assert_eq!(services, ["ecs", "ec2"]);
}

#[test]
fn a_door_may_have_tls_on_both_sides() {
    let now = jiff::Timestamp::now();
    let day = jiff::SignedDuration::from_hours(24);
    let [ours, theirs] = ["ours", "theirs"].map(|name| certs::make::Authority::throw_away(name, now).unwrap());
    let own = |authority: &certs::make::Authority| {
        let kind = certs::make::KeyType::P256;
        let acm = authority.issue(&["127.0.0.1"], kind, now - day, now + day).unwrap().acm().unwrap();
        let key = secrecy::ExposeSecret::expose_secret(&acm.private_key).to_owned();
        format!("{}\n{}\n{key}", acm.body, acm.chain.unwrap())
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (shown, at) = (door::acceptor(&own(&theirs)).unwrap(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let upstream = at.local_addr().unwrap();
    at.set_nonblocking(true).unwrap();
    runtime.spawn(async move {
        let at = TcpListener::from_std(at).unwrap();
        loop {
            let Ok(stream) = shown.accept(at.accept().await.unwrap().0).await else { continue };
            let mut stream = BufReader::new(Box::new(stream) as Stream);
            if let Some(request) = Message::head_of(&mut stream).await.unwrap() {
                let body = request.header("host").unwrap_or_default().to_owned();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        }
    });
    let proxy = RecordingProxy::start("http://127.0.0.1:1").unwrap();
    let ask = |at: SocketAddr, trusted: &str| {
        let tls = Some(door::connector(trusted).unwrap());
        runtime.block_on(async {
            let request = request("POST /api/rest/vault/records_add", &[("Host", "me:1")], "");
            let (mut stream, bytes) = Upstream::Here { address: at, tls }.reach(&request).await?;
            stream.write_all(&bytes).await?;
            let mut answer = String::new();
            tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.map(|_| answer)
        })
    };
    let (ours_pem, theirs_pem) = (ours.root().pem(), theirs.root().pem());
    let at = proxy.also_with_tls(upstream, &theirs_pem, &own(&ours)).unwrap();
    assert!(ask(at, &theirs_pem).is_err(), "the door shows a certificate of its own");
    assert_eq!(proxy.calls(), []);
    let answer = ask(at, &ours_pem).unwrap();
    assert!(answer.ends_with("\r\n\r\nme:1"), "{answer}");
    let calls = proxy.calls();
    assert_eq!((calls[0].service.as_str(), calls[0].operation.as_str()), ("keeper", "vault/records_add"));
    assert!(calls[0].mutating && calls[0].is_ok());

    let wrong = proxy.also_with_tls(upstream, &ours_pem, &own(&ours)).unwrap();
    assert!(ask(wrong, &ours_pem).is_ok_and(|answer| answer.is_empty()) || ask(wrong, &ours_pem).is_err());
    assert!(proxy.calls().iter().skip(1).all(|call| call.status.is_none()), "it trusts nobody else upstream");
    let elsewhere = proxy.also_with_tls(([10, 0, 0, 1], 443).into(), &theirs_pem, &own(&ours));
    assert_eq!(elsewhere.unwrap_err().kind(), ErrorKind::InvalidInput);
}
