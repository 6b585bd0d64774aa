//! `POST /v1/batches`: what is taken, and each kind of bad input with the answer it must get.
use crate::batchgen::{Call, NewBatch, sender_address, sender_key, sign};
use crate::genesis::DEV_CHAIN_ID;
use crate::tests::harness::{TestServer, batch, config};
use crate::view::BatchView;
use alloy::consensus::{SignableTransaction, TxEnvelope};
use alloy::eips::eip2718::{Decodable2718, Encodable2718};
use alloy::primitives::{Signature, U256};
use lathe_vm::receipt::ReceiptStatus;
use lathe_vm::{fixtures, isa};
use reqwest::StatusCode;
use serde_json::json;
use std::sync::Arc;

const BAD: StatusCode = StatusCode::BAD_REQUEST;
const UNPROCESSABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

async fn server() -> (tempfile::TempDir, TestServer) {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(dir.path()).await;
    (dir, server)
}

/// Transaction 0 of a batch of two, changed by `change`, must be refused; nothing may be stored.
async fn refused_call(code: &str, change: impl FnOnce(&mut Call)) {
    let (_dir, server) = server().await;
    let mut call = Call {
        chain_id: DEV_CHAIN_ID,
        nonce: 2,
        to: Some(fixtures::TOKEN),
        value: 0,
        data: fixtures::transfer(fixtures::receiver(1), 5),
    };
    change(&mut call);
    let mut new = batch(1, 2);
    new.transactions[1] = sign(&sender_key(1), call).unwrap();
    let (status, error) = server.refused(serde_json::to_string(&new).unwrap()).await;
    assert_eq!((status, error.code.as_str(), error.index), (UNPROCESSABLE, code, Some(1)), "{error:?}");
    assert_eq!(error.field.as_deref(), Some("transactions[1]"));
    assert_nothing_stored(&server).await;
    server.stop().await;
}

async fn assert_nothing_stored(server: &TestServer) {
    assert_eq!(server.app.store.last_accepted().unwrap(), 0);
    assert_eq!(server.get("/v1/batches/1").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_signed_transfers_is_accepted_with_senders_roots_and_receipts() {
    let (_dir, server) = server().await;
    let (status, body) = server.submit(&batch(1, 16)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    let view: BatchView = serde_json::from_value(body).unwrap();
    assert_eq!((view.number, view.transactions.len()), (1, 16));
    assert_ne!(view.old_root, view.new_root);
    for (i, tx) in view.transactions.iter().enumerate() {
        assert_eq!(tx.from, format!("0x{}", hex::encode(sender_address(i as u8))));
        assert_eq!(tx.status, ReceiptStatus::Success);
    }
    let (_, second) = server.submit(&batch(2, 16)).await;
    assert_eq!(second["oldRoot"], view.new_root.as_str());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_batch_again_is_200_and_stored_once() {
    let (_dir, server) = server().await;
    let new = batch(1, 3);
    let (_, first) = server.submit(&new).await;
    server.wait_for(1, "proven").await;
    let (status, again) = server.submit(&new).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(again["statementHash"], first["statementHash"]);
    assert_eq!(server.app.store.last_accepted().unwrap(), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_is_accepted_and_the_others_hear_of_it() {
    let (_dir, server) = server().await;
    // Four times the same batch, and four batches that differ from it and from each other.
    let batches: Vec<NewBatch> = [1, 1, 1, 1, 2, 3, 4, 5].map(|count| batch(1, count)).to_vec();
    let timestamp = batches[0].timestamp;
    let posts = batches.into_iter().map(|b| {
        let (url, b) = (server.url.clone(), NewBatch { timestamp, ..b });
        tokio::spawn(async move {
            let client = crate::http_client(std::time::Duration::from_secs(20)).unwrap();
            client.post(format!("{url}/v1/batches")).json(&b).send().await.unwrap().status().as_u16()
        })
    });
    let mut answers = Vec::new();
    for post in posts.collect::<Vec<_>>() {
        answers.push(post.await.unwrap());
    }
    let count = |status: u16| answers.iter().filter(|a| **a == status).count();
    assert_eq!(count(202), 1, "{answers:?}");
    // Either the batch that came four times won, or one of the others did.
    assert!((count(200), count(409)) == (3, 4) || (count(200), count(409)) == (0, 7), "{answers:?}");
    assert_eq!(server.app.store.last_accepted().unwrap(), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_number_and_a_gap_are_409_and_name_the_number_expected() {
    let (_dir, server) = server().await;
    server.submit(&batch(1, 3)).await;
    let other = NewBatch { transactions: batch(1, 2).transactions, ..batch(1, 3) };
    for (new, code) in [(other, "number_taken"), (batch(3, 1), "number_gap"), (batch(0, 1), "number_gap")] {
        let (status, error) = server.refused(serde_json::to_string(&new).unwrap()).await;
        assert_eq!((status, error.code.as_str()), (StatusCode::CONFLICT, code));
        assert_eq!((error.expected, error.field.as_deref()), (Some(2), Some("number")));
        assert!(error.message.contains("number 2"), "{}", error.message);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_json_is_400_and_wrong_shapes_are_422_with_the_field() {
    let (_dir, server) = server().await;
    for body in
        ["", "{", "nonsense", r#"{"number":1,}"#, "{\"number\":1,\"timestamp\":1,\"transactions\":[]} x"]
    {
        let (status, error) = server.refused(body).await;
        assert_eq!((status, error.code.as_str()), (BAD, "malformed_json"), "{body}: {error:?}");
    }
    let wrong = [
        (json!({"timestamp": 1, "transactions": []}), "number"),
        (json!({"number": "1", "timestamp": 1, "transactions": []}), "number"),
        (json!({"number": -1, "timestamp": 1, "transactions": []}), "number"),
        (json!({"number": 1, "timestamp": 1.5, "transactions": []}), "timestamp"),
        (json!({"number": 1, "timestamp": 1, "transactions": {}}), "transactions"),
        (json!({"number": 1, "timestamp": 1, "transactions": ["0x", 7]}), "transactions[1]"),
        (json!({"number": 1, "timestamp": 1, "transactions": [], "extra": 1}), "extra"),
        (json!([1, 2]), "body"),
    ];
    for (body, field) in wrong {
        let (status, error) = server.refused(body.to_string()).await;
        assert_eq!(status, UNPROCESSABLE, "{body}: {error:?}");
        assert_eq!(error.field.as_deref(), Some(field), "{body}: {error:?}");
    }
    let twice = r#"{"number":1,"number":2,"timestamp":1,"transactions":[]}"#;
    assert_eq!(server.refused(twice).await.1.field.as_deref(), Some("number"));
    assert_nothing_stored(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_413() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.max_body_bytes = 2000;
    let server = TestServer::start_with(config, Arc::default()).await;
    let (status, error) = server.refused("x".repeat(2001)).await;
    assert_eq!((status, error.field.as_deref()), (StatusCode::PAYLOAD_TOO_LARGE, Some("body")));
    assert!(error.message.contains("2000"));
    assert_eq!(server.submit(&batch(1, 1)).await.0, StatusCode::ACCEPTED);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_do_not_decode_are_422_with_their_index() {
    let (_dir, server) = server().await;
    let good = batch(1, 1).transactions.remove(0);
    let bytes = hex::decode(&good[2..]).unwrap();
    let text = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    let mut type_one = bytes.clone();
    type_one[0] = 1;
    let cases = [
        (good[2..].to_string(), "invalid_hex"),
        ("0x02f8zz".into(), "invalid_hex"),
        ("0x".into(), "invalid_transaction"),
        (text(&bytes[..bytes.len() - 1]), "invalid_transaction"),
        (text(&[&bytes[..], &[0]].concat()), "invalid_transaction"),
        (text(&type_one), "not_supported_yet"),
        (text(&bytes[1..]), "not_supported_yet"),
    ];
    for (bad, code) in cases {
        let new = NewBatch { transactions: vec![good.clone(), bad.clone()], ..batch(1, 0) };
        let (status, error) = server.refused(serde_json::to_string(&new).unwrap()).await;
        assert_eq!((status, error.index), (UNPROCESSABLE, Some(1)), "{bad}: {error:?}");
        assert_eq!(error.code, code, "{bad}: {error:?}");
    }
    assert_nothing_stored(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_flipped_bit_of_a_signature_goes_through() {
    let (_dir, server) = server().await;
    let good = hex::decode(&batch(1, 1).transactions[0][2..]).unwrap();
    // The last 66 bytes hold r and s with their length prefixes.
    for at in [good.len() - 66, good.len() - 50, good.len() - 33, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let new = NewBatch { transactions: vec![format!("0x{}", hex::encode(bad))], ..batch(1, 0) };
        let (status, error) = server.refused(serde_json::to_string(&new).unwrap()).await;
        // A signature that recovers to some other address fails by that address's nonce.
        assert_eq!((status, error.index), (UNPROCESSABLE, Some(0)), "byte {at}: {error:?}");
    }
    assert_nothing_stored(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_form_of_a_signature_is_refused() {
    let (_dir, server) = server().await;
    let raw = hex::decode(&batch(1, 1).transactions[0][2..]).unwrap();
    let TxEnvelope::Eip1559(signed) = TxEnvelope::decode_2718_exact(&raw).unwrap() else {
        panic!("not type 2")
    };
    let (tx, signature, _) = signed.into_parts();
    let order = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141".parse::<U256>().unwrap();
    let twin = Signature::new(signature.r(), order - signature.s(), !signature.v());
    let raw = TxEnvelope::from(tx.into_signed(twin)).encoded_2718();
    let new = NewBatch { transactions: vec![format!("0x{}", hex::encode(raw))], ..batch(1, 0) };
    let (status, error) = server.refused(serde_json::to_string(&new).unwrap()).await;
    assert_eq!((status, error.code.as_str(), error.index), (UNPROCESSABLE, "bad_signature", Some(0)));
    assert_nothing_stored(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_chain_id_is_refused() {
    refused_call("wrong_chain_id", |c| c.chain_id += 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_too_low_or_too_high_is_refused() {
    refused_call("wrong_nonce", |c| c.nonce -= 1).await;
    refused_call("wrong_nonce", |c| c.nonce += 1).await;
    refused_call("wrong_nonce", |c| c.nonce = 1 << 48).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn value_and_creation_are_refused_as_not_supported_yet() {
    refused_call("not_supported_yet", |c| c.value = 1).await;
    refused_call("not_supported_yet", |c| c.to = None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_cannot_be_posted_is_refused() {
    refused_call("data_too_long", |c| c.data = vec![0; 65_536]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonces_count_pending_batches() {
    let (_dir, server) = server().await;
    server.submit(&batch(1, 2)).await;
    // The same senders once more with the nonces of batch 1.
    let stale = NewBatch { number: 2, ..batch(1, 2) };
    let (_, error) = server.refused(serde_json::to_string(&stale).unwrap()).await;
    assert_eq!((error.code.as_str(), error.index), ("wrong_nonce", Some(0)));
    assert_eq!(server.submit(&batch(2, 2)).await.0, StatusCode::ACCEPTED);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timestamps_never_fall_and_never_run_ahead() {
    let (_dir, server) = server().await;
    let ahead = NewBatch { timestamp: batch(1, 1).timestamp + 3600, ..batch(1, 1) };
    let (status, error) = server.refused(serde_json::to_string(&ahead).unwrap()).await;
    assert_eq!((status, error.field.as_deref()), (UNPROCESSABLE, Some("timestamp")));
    let first = batch(1, 1);
    server.submit(&first).await;
    let before = NewBatch { timestamp: first.timestamp - 1, ..batch(2, 1) };
    let (_, error) = server.refused(serde_json::to_string(&before).unwrap()).await;
    assert_eq!(error.code, "wrong_timestamp");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_batch_is_refused() {
    let (_dir, server) = server().await;
    let (status, error) = server.refused(serde_json::to_string(&batch(1, 0)).unwrap()).await;
    assert_eq!((status, error.field.as_deref()), (UNPROCESSABLE, Some("transactions")));
    assert_nothing_stored(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_beyond_the_shapes_is_422_naming_chip_need_and_capacity() {
    let (_dir, server) = server().await;
    let (status, error) = server.refused(serde_json::to_string(&batch(1, 400)).unwrap()).await;
    assert_eq!((status, error.code.as_str()), (UNPROCESSABLE, "capacity_exceeded"), "{error:?}");
    let numbers = error.message.split(|c: char| !c.is_ascii_digit()).filter(|s| !s.is_empty()).count();
    assert!(numbers >= 2, "chip, need and capacity expected: {}", error.message);
    assert_nothing_stored(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_beyond_the_step_limit_is_422_naming_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.max_steps = 50;
    let server = TestServer::start_with(config, Arc::default()).await;
    let (status, error) = server.refused(serde_json::to_string(&batch(1, 16)).unwrap()).await;
    assert_eq!((status, error.code.as_str()), (UNPROCESSABLE, "not_provable"));
    assert!(error.message.contains("limit of 50"), "{}", error.message);
    assert_nothing_stored(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instruction_not_yet_provable_is_422_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("genesis.json");
    let mut genesis = crate::genesis::development();
    let mulhi = isa::OPS.iter().find(|op| op.name == "mulhi" && op.status == isa::Status::Executed).unwrap();
    let word = u64::from(mulhi.opcode);
    let callee = [0x99; 20];
    genesis.accounts.push(lathe_vm::genesis::Account {
        address: format!("0x{}", hex::encode(callee)),
        code: Some(format!("0x{word:016x}")),
        ..Default::default()
    });
    std::fs::write(&file, serde_json::to_string(&genesis).unwrap()).unwrap();
    let mut config = config(&dir.path().join("data"));
    config.genesis = Some(file);
    let server = TestServer::start_with(config, Arc::default()).await;
    let call = Call { chain_id: DEV_CHAIN_ID, nonce: 1, to: Some(callee), value: 0, data: Vec::new() };
    let new = NewBatch { transactions: vec![sign(&sender_key(0), call).unwrap()], ..batch(1, 0) };
    let (status, error) = server.refused(serde_json::to_string(&new).unwrap()).await;
    assert_eq!((status, error.code.as_str()), (UNPROCESSABLE, "not_provable"));
    assert!(error.message.contains("instruction not yet provable: mulhi"), "{}", error.message);
    assert_nothing_stored(&server).await;
    server.stop().await;
}
