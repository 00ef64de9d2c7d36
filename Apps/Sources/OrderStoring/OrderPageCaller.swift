/// The call for which a page is read. While its page is on its way, no other page is read for its
/// connection: a connection whose peer does not read keeps one page in memory and no more.
public protocol OrderPageCaller: Sendable {
    /// The connection of the call; nil: unknown. All unknown ones count as one.
    var source: ObjectIdentifier? { get }
    /// Whether the call has ended, so that its page need not be read. Any thread.
    var isCancelled: Bool { get }
    /// Runs `body` once when the page has been sent or the call has ended otherwise; at once if it
    /// has ended. Any thread.
    func onEnd(_ body: @escaping @Sendable () -> Void)
    /// The page was not read for so long, because pages of earlier calls of the connection were on their
    /// way: the peer has not read them. Before the page is read, on a thread of the store. Default:
    /// nothing.
    func waitedForPeer(_ duration: Duration)
}

extension OrderPageCaller {
    /// Nobody is told.
    public func waitedForPeer(_ duration: Duration) {}
}

/// A caller in the same process, which keeps its pages itself.
package struct LocalPageCaller: OrderPageCaller {
    package init() {}

    package var source: ObjectIdentifier? { nil }
    package var isCancelled: Bool { false }
    package func onEnd(_ body: @escaping @Sendable () -> Void) { body() }
}
