//! An endpoint that loses answers: a proxy in front of anvil.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use medshare_chain::{Address, Chain, ChainConfig, ChainError, Event};

use crate::world::{deployed, start};

/// What the proxy does with a question.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// Passes it on and keeps the answer.
    LosesTheAnswer,
    /// Does not pass it on.
    LosesTheQuestion,
}

/// How often a method was asked.
#[derive(Clone, Default)]
struct Count(Arc<AtomicU32>);

/// A proxy before `rpc_url` that treats the first `times` questions of `method` badly.
fn proxy(rpc_url: &str, method: &'static str, fault: Fault, times: u32) -> (String, Count) {
    let target = rpc_url.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Count::default();
    let seen = count.clone();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (target, seen) = (target.clone(), seen.clone());
            std::thread::spawn(move || serve(client, &target, method, fault, times, &seen));
        }
    });
    (url, count)
}

fn serve(
    mut client: TcpStream,
    target: &str,
    method: &str,
    fault: Fault,
    times: u32,
    seen: &Count,
) -> Option<()> {
    let question = read_question(&client)?;
    let asked = question
        .windows(method.len())
        .any(|window| window == method.as_bytes());
    let faulty = asked && seen.0.fetch_add(1, Ordering::SeqCst) < times;
    if faulty && fault == Fault::LosesTheQuestion {
        return None;
    }
    let mut server = TcpStream::connect(target).ok()?;
    server.write_all(&question).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    if faulty && fault == Fault::LosesTheAnswer {
        return None;
    }
    client.write_all(&answer).ok()
}

/// One HTTP request, made the only one of its connection.
fn read_question(client: &TcpStream) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(client);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        reader
            .read_line(&mut line)
            .ok()
            .filter(|bytes| *bytes > 0)?;
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
        head.extend(line.into_bytes());
    }
    head.extend(b"connection: close\r\n\r\n");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    head.extend(body);
    Some(head)
}

async fn through(url: &str, real: &Chain, key: &medshare_chain::PrivateKeySigner) -> Chain {
    let config = ChainConfig::new(url, real.contract());
    Chain::connect(&config)
        .await
        .unwrap()
        .with_signer(key.clone())
}

#[tokio::test]
async fn a_sent_transaction_whose_answer_is_lost_is_not_sent_twice() {
    let anvil = start().await;
    let real = deployed(&anvil).await;
    let (url, count) = proxy(
        &anvil.rpc_url,
        "eth_sendRawTransaction",
        Fault::LosesTheAnswer,
        1,
    );
    let chain = through(&url, &real, &anvil.keys[0]).await;
    let before = real.block_number().await.unwrap();
    let custodian = Address::repeat_byte(1);
    let receipt = chain.admit_custodian(custodian).await.unwrap();
    assert_eq!(receipt.events, [Event::CustodianAdmitted { custodian }]);
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
    assert_eq!(real.block_number().await.unwrap(), before + 1);
}

#[tokio::test]
async fn a_transaction_that_never_arrived_is_told_as_unreachable() {
    let anvil = start().await;
    let real = deployed(&anvil).await;
    let (url, _) = proxy(
        &anvil.rpc_url,
        "eth_sendRawTransaction",
        Fault::LosesTheQuestion,
        1,
    );
    let chain = through(&url, &real, &anvil.keys[0]).await;
    let error = chain
        .admit_custodian(Address::repeat_byte(1))
        .await
        .unwrap_err();
    assert!(matches!(error, ChainError::Unreachable { .. }), "{error}");
    assert!(error.is_transient());
    assert_eq!(real.custodian_count().await.unwrap(), 0);
    chain
        .admit_custodian(Address::repeat_byte(1))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_wait_for_a_receipt_outlasts_an_outage() {
    let anvil = start().await;
    let real = deployed(&anvil).await;
    let method = "eth_getTransactionReceipt";
    let (url, count) = proxy(&anvil.rpc_url, method, Fault::LosesTheQuestion, 10);
    let chain = through(&url, &real, &anvil.keys[0]).await;
    chain
        .admit_custodian(Address::repeat_byte(1))
        .await
        .unwrap();
    assert!(count.0.load(Ordering::SeqCst) > 10);
}

#[tokio::test]
async fn reads_are_asked_again_twice_and_no_more() {
    let anvil = start().await;
    let real = deployed(&anvil).await;
    let (url, count) = proxy(&anvil.rpc_url, "eth_blockNumber", Fault::LosesTheAnswer, 5);
    let chain = through(&url, &real, &anvil.keys[0]).await;
    assert!(matches!(
        chain.block_number().await,
        Err(ChainError::Unreachable { .. })
    ));
    assert_eq!(count.0.load(Ordering::SeqCst), 3);
    assert_eq!(
        chain.block_number().await.unwrap(),
        real.block_number().await.unwrap()
    );
    assert_eq!(count.0.load(Ordering::SeqCst), 6);
}
