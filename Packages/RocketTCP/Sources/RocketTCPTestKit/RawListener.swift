public import RocketSystem
public import RocketTCP

/// A port of the loopback that belongs to one test from beginning to end: it refuses until
/// `listen`, and accepts only what the test accepts. No other test can be given its number.
public final class RawListener {
    private let descriptor: FileDescriptor
    /// Where it is bound, its port resolved.
    public let address: NetAddress

    /// Takes a free port; whoever connects is refused.
    public init() throws(SystemError) {
        descriptor = try FileDescriptor.streamSocket(
            for: NetAddress.loopback(port: 0).socketAddress)
        try descriptor.bind(to: NetAddress.loopback(port: 0).socketAddress)
        address = NetAddress(try descriptor.localAddress())
    }

    /// From now on connecting succeeds. With a full backlog it gets no answer instead: of a
    /// backlog of 0 that is from the second or third peer on.
    public func listen(backlog: Int = 16) throws(SystemError) {
        try descriptor.listen(backlog: backlog)
    }

    /// The next connection; nil when none waits.
    public func accept() -> RawPeer? {
        guard case .accepted(let accepted, _)? = try? descriptor.accept() else { return nil }
        return RawPeer(accepted)
    }
}
