//! One process has the data, others act on it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use medshare_client::agent::{Agent, Lock};
use medshare_client::socket::{
    AgentConnection, AgentSocket, Answer, MAX_LINE_BYTES, MAX_WRITE_BYTES, Order, SocketError,
};
use medshare_protocol::usage::Action;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

use crate::stage::{PAYLOAD, Stage, within};

struct Served {
    stage: Stage,
    agent: Agent,
    path: PathBuf,
    serving: JoinHandle<Result<Lock, SocketError>>,
}

async fn serve(granted: &[Action]) -> Served {
    let stage = Stage::granting(granted).await;
    let agent = stage.open().await.unwrap();
    let path = stage.path("agent.sock");
    let socket = AgentSocket::bind(&path).await.unwrap();
    let served = agent.clone();
    let serving = tokio::spawn(async move { socket.serve(&served).await });
    Served {
        stage,
        agent,
        path,
        serving,
    }
}

#[tokio::test]
async fn actions_over_the_socket_are_reported_with_the_caller_s_program() {
    let served = serve(&[Action::Read, Action::Write, Action::Copy]).await;
    let mode = std::fs::metadata(&served.path)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut connection = AgentConnection::open(&served.path).await.unwrap();
    let (answer, bytes) = connection
        .order(&Order::Read {
            offset: 0,
            length: None,
        })
        .await
        .unwrap();
    assert_eq!(
        answer,
        Answer::Done {
            receipt: Some(2),
            bytes: PAYLOAD.len() as u64
        }
    );
    assert_eq!(bytes.as_slice(), PAYLOAD);
    let own_name = std::fs::read_to_string("/proc/self/comm").unwrap();
    assert_eq!(
        served.stage.node.body(2).program.as_deref(),
        Some(own_name.trim_end())
    );

    let answer = connection.write(0, b"AGE").await.unwrap();
    assert_eq!(
        answer,
        Answer::Done {
            receipt: Some(3),
            bytes: 0
        }
    );
    let to = served.stage.path("out.csv");
    let mut second = AgentConnection::open(&served.path).await.unwrap();
    second.order(&Order::Copy { to: to.clone() }).await.unwrap();
    assert!(std::fs::read(&to).unwrap().starts_with(b"AGE,sex"));

    let (answer, _) = connection.order(&Order::Status).await.unwrap();
    let Answer::Status(status) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!((status.reports, status.length), (4, PAYLOAD.len() as u64));
    assert_eq!(
        (status.package, status.lock),
        (served.agent.package(), None)
    );
}

#[tokio::test]
async fn a_violation_is_answered_and_ends_the_serving() {
    let served = serve(&[Action::Read]).await;
    let mut connection = AgentConnection::open(&served.path).await.unwrap();
    let to = served.stage.path("out.csv");
    let (answer, _) = connection
        .order(&Order::Copy { to: to.clone() })
        .await
        .unwrap();
    assert_eq!(
        answer,
        Answer::Locked {
            lock: Lock::Violation(Action::Copy)
        }
    );
    assert!(!to.exists());
    assert_eq!(
        within(served.serving).await.unwrap().unwrap(),
        Lock::Violation(Action::Copy)
    );
    assert!(!served.path.exists(), "the socket is gone");
    assert!(matches!(
        AgentConnection::open(&served.path).await,
        Err(SocketError::NotOpen(_))
    ));
}

#[tokio::test]
async fn a_caller_is_told_when_the_node_does_not_know_of_the_violation_yet() {
    let served = serve(&[Action::Read]).await;
    served.stage.node.script().hangs = true;
    let mut connection = AgentConnection::open(&served.path).await.unwrap();
    let to = served.stage.path("out.csv");
    let (answer, _) = within(connection.order(&Order::Copy { to })).await.unwrap();
    let lock = Lock::Untold(Action::Copy);
    assert_eq!(answer, Answer::Locked { lock });
}

#[tokio::test]
async fn closing_wipes_and_ends_the_serving() {
    let served = serve(&[]).await;
    let mut idle = AgentConnection::open(&served.path).await.unwrap();
    let mut connection = AgentConnection::open(&served.path).await.unwrap();
    let (answer, _) = connection.order(&Order::Close).await.unwrap();
    assert_eq!(
        answer,
        Answer::Done {
            receipt: None,
            bytes: 0
        }
    );
    assert_eq!(within(served.serving).await.unwrap().unwrap(), Lock::Closed);
    assert!(served.agent.bytes(0, 1).is_err());
    assert!(matches!(
        idle.order(&Order::Status).await,
        Err(SocketError::Broken(_))
    ));
}

#[tokio::test]
async fn a_caller_that_sends_nothing_does_not_keep_the_agent_alive() {
    let served = serve(&[Action::Write]).await;
    let mut stalled = UnixStream::connect(&served.path).await.unwrap();
    stalled
        .write_all(b"{\"order\":\"write\",\"offset\":0,\"length\":1000000}\n")
        .await
        .unwrap();
    // A connection that is served later shows that the first one was taken.
    let mut second = AgentConnection::open(&served.path).await.unwrap();
    second.order(&Order::Status).await.unwrap();
    served.agent.close();
    assert_eq!(within(served.serving).await.unwrap().unwrap(), Lock::Closed);
    let mut answer = Vec::new();
    within(stalled.read_to_end(&mut answer)).await.unwrap();
    let told: Option<Answer> = serde_json::from_slice(&answer).ok();
    assert!(
        told.is_none() || told == Some(Answer::Locked { lock: Lock::Closed }),
        "{told:?}"
    );
    assert_eq!(
        served.stage.node.reported().len(),
        1,
        "no write was reported"
    );
}

#[tokio::test]
async fn a_slow_reader_gets_no_more_of_the_data_once_it_is_closed() {
    let served = serve(&[Action::Read, Action::Write]).await;
    let length = 8 * 1024 * 1024;
    let mut writer = AgentConnection::open(&served.path).await.unwrap();
    writer.write(0, &vec![b'x'; length]).await.unwrap();
    let mut slow = UnixStream::connect(&served.path).await.unwrap();
    slow.write_all(b"{\"order\":\"read\",\"offset\":0,\"length\":null}\n")
        .await
        .unwrap();
    // The first bytes are here, so the agent is in the middle of its answer.
    let mut beginning = [0; 100];
    within(slow.read_exact(&mut beginning)).await.unwrap();
    assert!(beginning.starts_with(b"{\"answer\":\"done\""));
    served.agent.close();
    assert_eq!(within(served.serving).await.unwrap().unwrap(), Lock::Closed);
    let mut rest = Vec::new();
    // What the system had taken over before is still there; the rest never comes.
    let _ = within(slow.read_to_end(&mut rest)).await;
    assert!(rest.len() < length / 2, "{} bytes came", rest.len());
}

#[tokio::test]
async fn a_failed_order_leaves_the_connection_usable() {
    let served = serve(&[Action::Read]).await;
    let mut connection = AgentConnection::open(&served.path).await.unwrap();
    let (answer, _) = connection
        .order(&Order::Read {
            offset: 9_999,
            length: None,
        })
        .await
        .unwrap();
    assert!(matches!(answer, Answer::Failed { reason } if reason.contains("9999")));
    let (answer, _) = connection
        .order(&Order::Read {
            offset: 0,
            length: Some(3),
        })
        .await
        .unwrap();
    assert!(matches!(answer, Answer::Done { bytes: 3, .. }));
}

#[tokio::test]
async fn what_is_no_order_is_answered_and_hung_up_on() {
    let served = serve(&[]).await;
    let too_long = [
        vec![b'x'; usize::try_from(MAX_LINE_BYTES).unwrap() + 1],
        b"\n".to_vec(),
    ];
    for nonsense in [
        b"fly\n".to_vec(),
        b"{\"order\":\"fly\"}\n".to_vec(),
        b"{\"order\":\"read\"}\n".to_vec(),
        too_long.concat(),
        format!(
            "{{\"order\":\"write\",\"offset\":0,\"length\":{}}}\n",
            MAX_WRITE_BYTES + 1
        )
        .into(),
    ] {
        let mut stream = UnixStream::connect(&served.path).await.unwrap();
        // The agent may have hung up before all of it is written.
        let _ = stream.write_all(&nonsense).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let line: Answer = serde_json::from_slice(&answer).unwrap();
        assert!(matches!(line, Answer::Failed { .. }), "{line:?}");
    }
    assert_eq!(served.agent.lock(), None, "nonsense is no violation");
}

#[tokio::test]
async fn one_agent_listens_and_a_dead_one_s_socket_is_replaced() {
    let served = serve(&[]).await;
    assert!(matches!(
        AgentSocket::bind(&served.path).await,
        Err(SocketError::InUse(_))
    ));
    let dead = served.stage.path("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
    assert!(dead.exists());
    assert!(matches!(
        AgentConnection::open(&dead).await,
        Err(SocketError::NotOpen(_))
    ));
    AgentSocket::bind(&dead).await.unwrap();
}
