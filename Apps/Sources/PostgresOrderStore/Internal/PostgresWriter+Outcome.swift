import OrderStoring
import Postgres
import RocketReactor

/// What became of the transaction of a lost connection: found out on the next one.
extension PostgresWriter {
    func resolve(_ sent: Sent) {
        phase = .resolving(sent)
        var parameters = PostgresParameters()
        parameters.append(server)
        parameters.append(sent.number)
        session?.execute(PostgresSchema.abandon, parameters, tag: Tag.other)
        session?.execute(PostgresSchema.outcome, parameters, tag: Tag.outcome)
        session?.sync()
    }

    func resolved(_ sent: Sent, _ rows: PostgresRows) {
        guard let before = rows.integer(0, 0) else {
            phase = .idle
            resolveTimer.take()?.cancel()
            retry(sent, lastError)
            return
        }
        var known: [Int: Order?] = [:]
        for row in 0..<rows.count {
            if let number = rows.integer(row, 1) { known.updateValue(nil, forKey: Int(number)) }
        }
        committed(sent, before: before, known: known)
    }

    /// What became of it was not found out: the next attempt does, unless the time for it has passed
    /// during this one.
    func unresolved(_ sent: Sent) {
        phase = .unknown(sent)
        if resolveTimer == nil { giveUp() }
    }

    func giveUp() {
        resolveTimer = nil
        guard case .unknown(let sent) = phase else { return }
        phase = .idle
        failed(sent.requests, .outcomeUnknown(reason: lastError.description))
        finishIfClosed()
    }
}
