/// A worker of a store that may sleep. Any thread.
package protocol WorkerHandle: AnyObject, Sendable {
    /// Ends the worker's sleep; the next one, if it does not sleep now.
    func wake()
}
