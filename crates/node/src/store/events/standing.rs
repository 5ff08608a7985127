//! One event on its way into the tables: what was violated, done about it, published and registered (P7).

use alloy_primitives::Address;
use medshare_chain::Event;
use medshare_protocol::id::PackageId;

use super::chains::Applying;
use crate::store::StoreError;
use crate::store::rows::{signed, to_json};

impl Applying<'_, '_> {
    pub(super) async fn violation(&mut self) -> Result<(), StoreError> {
        let Event::ViolationAccepted {
            package,
            number,
            actions,
            report,
        } = &self.logged.event
        else {
            return Ok(());
        };
        sqlx::query(
            "INSERT INTO violation (package, number, actions, report, transaction_hash, time, evm_block)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(package.as_slice())
        .bind(number)
        .bind(actions.0)
        .bind(report.as_slice())
        .bind(self.logged.transaction.as_slice())
        .bind(signed(self.logged.time))
        .bind(signed(self.logged.position.block))
        .execute(&mut *self.connection)
        .await?;
        for statement in [
            "UPDATE report SET settlement = 'settled' WHERE package = ? AND number = ? AND settlement IS NOT NULL",
            "UPDATE tampering SET settlement = 'settled' WHERE package = ? AND number = ?",
        ] {
            sqlx::query(statement)
                .bind(package.as_slice())
                .bind(number)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }

    /// A package was revoked, re-granted or retrieved. Without access no lease lives on.
    pub(super) async fn standing(
        &mut self,
        what: &str,
        package: PackageId,
        actor: Address,
        reason: Option<u8>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO standing (evm_block, log_index, package, what, actor, reason, transaction_hash, time)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(signed(self.logged.position.block))
        .bind(signed(self.logged.position.log_index))
        .bind(package.as_slice())
        .bind(what)
        .bind(actor.as_slice())
        .bind(reason)
        .bind(self.logged.transaction.as_slice())
        .bind(signed(self.logged.time))
        .execute(&mut *self.connection)
        .await?;
        if what != "regranted" {
            sqlx::query("UPDATE session SET ended = 1 WHERE package = ?")
                .bind(package.as_slice())
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn receipt(&mut self) -> Result<(), StoreError> {
        let Event::ResponseTaken {
            package,
            requestor,
            custodian,
            kind,
            violation,
        } = &self.logged.event
        else {
            return Ok(());
        };
        sqlx::query(
            "INSERT INTO receipt
             (evm_block, log_index, package, requestor, custodian, kind, violation, transaction_hash, time)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(signed(self.logged.position.block))
        .bind(signed(self.logged.position.log_index))
        .bind(package.as_slice())
        .bind(requestor.as_slice())
        .bind(custodian.as_slice())
        .bind(to_json(kind))
        .bind(violation)
        .bind(self.logged.transaction.as_slice())
        .bind(signed(self.logged.time))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn response_list(&mut self) -> Result<(), StoreError> {
        let Event::DatasetPublished {
            custodian,
            dataset,
            responses,
            ..
        } = &self.logged.event
        else {
            return Ok(());
        };
        sqlx::query(
            "INSERT INTO response_list (evm_block, log_index, custodian, dataset, responses)
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(signed(self.logged.position.block))
        .bind(signed(self.logged.position.log_index))
        .bind(custodian.as_slice())
        .bind(dataset.as_slice())
        .bind(to_json(responses))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    pub(super) async fn registration(&mut self) -> Result<(), StoreError> {
        let Event::RequestorRegistered {
            requestor,
            custodian,
            nonce,
            ..
        } = &self.logged.event
        else {
            return Ok(());
        };
        sqlx::query(
            "INSERT INTO registration (evm_block, log_index, requestor, nonce, custodian, transaction_hash)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(signed(self.logged.position.block))
        .bind(signed(self.logged.position.log_index))
        .bind(requestor.as_slice())
        .bind(nonce.to_string())
        .bind(custodian.as_slice())
        .bind(self.logged.transaction.as_slice())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}
