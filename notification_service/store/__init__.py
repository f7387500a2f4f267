"""The topics that hold the service's data: the ledger of sent mails and the view of accounts."""
