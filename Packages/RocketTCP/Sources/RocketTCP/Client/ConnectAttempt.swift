import RocketReactor
import RocketSystem

/// One non-blocking connect to one address. Bound to its loop.
final class ConnectAttempt: IOHandler {
    enum Outcome {
        case connected
        case failed(SystemError)
    }

    let address: NetAddress
    private(set) var error: SystemError?
    private var descriptor: FileDescriptor?
    private var registration: Registration?
    private let ended: (ConnectAttempt, Outcome) -> Void

    /// `ended` comes later, unless the result is known at once.
    init(_ address: NetAddress, ended: @escaping (ConnectAttempt, Outcome) -> Void) {
        self.address = address
        self.ended = ended
    }

    /// Begins. A result that is known at once is returned, and `ended` does not come.
    func begin(_ configuration: TCPConnectionConfiguration, on reactor: Reactor) -> Outcome? {
        do {
            let descriptor = try FileDescriptor.streamSocket(for: address.socketAddress)
            try configuration.apply(to: descriptor, address)
            switch try descriptor.connect(to: address.socketAddress) {
            case .connected: return settled(descriptor, nil)
            case .inProgress:
                registration = try reactor.register(
                    descriptor, interest: .write, label: "connect", handler: self)
                self.descriptor = consume descriptor
                return nil
            }
        } catch {
            self.error = error
            return .failed(error)
        }
    }

    func ready(_ events: IOEvents, on reactor: Reactor) {
        registration?.cancel()
        registration = nil
        guard let descriptor = descriptor.take() else { return }
        let failure = descriptor.socketError().map { SystemError("connect", $0) }
        ended(self, settled(descriptor, failure))
    }

    /// Keeps the descriptor only if it is connected to somebody else.
    private func settled(_ descriptor: consuming FileDescriptor, _ failure: SystemError?)
        -> Outcome
    {
        error = failure
        if error == nil, !address.isUnix, let own = try? descriptor.localAddress(),
            own == address.socketAddress
        {
            // A port of our own that nobody listens on may be chosen for our end: TCP then
            // connects the socket to itself.
            error = SystemError("connect", .connectionRefused)
        }
        if let error { return .failed(error) }
        self.descriptor = consume descriptor
        return .connected
    }

    /// The connected descriptor, once.
    func takeDescriptor() -> FileDescriptor? { descriptor.take() }

    func cancel() {
        registration?.cancel()
        registration = nil
        descriptor = nil
    }
}
