public import RocketSystem
public import RocketTCP

/// A port of the loopback that one test reserves: it refuses until `listen`, and accepts only when
/// the test does. The kernel gives its number to no other test. Bound to the test's thread.
public final class RawListener {
    private let descriptor: FileDescriptor
    /// The address that it is bound to, its port resolved.
    public let address: NetAddress

    /// Reserves a free port, on which connects are refused.
    public init() throws(SystemError) {
        descriptor = try FileDescriptor.streamSocket(
            for: NetAddress.loopback(port: 0).socketAddress)
        try descriptor.bind(to: NetAddress.loopback(port: 0).socketAddress)
        address = NetAddress(try descriptor.localAddress())
    }

    /// Accepts connects from now on. With a full backlog they get no answer: with a backlog of 0
    /// from the second or third peer on.
    public func listen(backlog: Int = 16) throws(SystemError) {
        try descriptor.listen(backlog: backlog)
    }

    /// Returns the next connection; nil when none waits.
    public func accept() -> RawPeer? {
        guard case .accepted(let accepted, _)? = try? descriptor.accept() else { return nil }
        // Or a small write waits for the acknowledgement of the one before it, which a peer that has
        // nothing to say sends late.
        try? accepted.setNoDelay(true)
        return RawPeer(accepted)
    }
}
