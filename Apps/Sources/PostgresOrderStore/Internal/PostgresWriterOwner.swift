import OrderStoring
import Postgres

/// What the writer needs of its store. Bound to its loop.
protocol PostgresWriterOwner: AnyObject {
    /// A batch was committed: publishes its orders, then calls `answer`.
    ///
    /// - Parameter before: the sequence number before its new orders.
    func committed(_ new: [Order], before: Int64, answer: @escaping () -> Void)
    /// The writer has stored everything, after the queue was closed.
    func writerFinished()
    /// The session is open, on this host, or again.
    func writerOpened(host: Int)
    /// The session is lost, or could not be opened.
    func writerLost(_ error: PostgresError)
}
