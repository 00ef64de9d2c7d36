import CRocketDNS
import RocketReactor
import RocketSystem

/// c-ares with its sockets at the reactor. Bound to its loop's thread; owned by a `ResolverCore`, which
/// calls `close`.
///
/// c-ares calls back during the functions of this type; what it reports is passed to `onEnded`, which
/// must not call this type.
@safe
final class AresChannel {
    private let reactor: Reactor
    private let reference: UnsafeMutablePointer<ChannelReference>
    private var ares: OpaquePointer?
    /// By their descriptors. c-ares says when one is about to be closed, and opens another one, maybe
    /// with the same number, afterwards: each has its own registration.
    private var sockets: [Int32: SocketWatch] = [:]
    private let onEnded: (UInt64, Int32, [UInt8]) -> Void
    /// Queries that c-ares has not ended.
    private(set) var running = 0
    let search: SearchList
    let servers: [SocketAddress]

    init(
        _ configuration: DNSConfiguration, on reactor: Reactor,
        onEnded: @escaping (UInt64, Int32, [UInt8]) -> Void
    ) throws(DNSSetupError) {
        self.reactor = reactor
        self.onEnded = onEnded
        let reference = UnsafeMutablePointer<ChannelReference>.allocate(capacity: 1)
        unsafe reference.initialize(to: ChannelReference(channel: nil))
        unsafe self.reference = reference
        guard let made = unsafe Self.create(configuration, reference) else {
            unsafe reference.deinitialize(count: 1)
            unsafe reference.deallocate()
            throw DNSSetupError(text: "c-ares can't be set up: no memory, or unreadable settings")
        }
        unsafe ares = made
        search = unsafe Self.searchList(configuration, made)
        servers = unsafe Self.servers(of: made)
        unsafe reference.pointee.channel = self
    }

    deinit {
        // `close` has been called, or the initialiser has failed, which frees itself.
        if let ares = unsafe ares { unsafe rocket_dns_free(ares) }
        unsafe reference.deinitialize(count: 1)
        unsafe reference.deallocate()
    }

    private static func create(
        _ configuration: DNSConfiguration, _ reference: UnsafeMutablePointer<ChannelReference>
    ) -> OpaquePointer? {
        let servers = configuration.servers.map { rocket_dns_address($0) }
        var error: UnsafePointer<CChar>?
        var calls = aresCallbacks
        // SAFETY: the shim copies what the settings point to; the reference outlives the channel.
        return unsafe servers.withUnsafeBufferPointer { servers in
            unsafe configuration.resolvConf.withCString { path in
                var settings = unsafe rocket_dns_settings(
                    timeout_ms: configuration.clampedTryMilliseconds,
                    tries: configuration.clampedTries, servers: servers.baseAddress,
                    server_count: servers.count, resolv_conf: path)
                return unsafe rocket_dns_create(&settings, &calls, reference, &error)
            }
        }
    }

    private static func searchList(
        _ configuration: DNSConfiguration, _ ares: OpaquePointer
    ) -> SearchList {
        let dots = unsafe max(0, Int(rocket_dns_dots(ares)))
        if let domains = configuration.searchDomains {
            return SearchList(domains: domains, dots: dots)
        }
        let count = unsafe min(rocket_dns_domain_count(ares), SearchList.limit)
        let domains = (0..<count).map { index in
            unsafe String(cString: rocket_dns_domain(ares, index))
        }
        return SearchList(domains: domains, dots: dots)
    }

    private static func servers(of ares: OpaquePointer) -> [SocketAddress] {
        var flat = [rocket_dns_address](repeating: rocket_dns_address(), count: 32)
        let count = unsafe rocket_dns_servers(ares, &flat, flat.count)
        return flat.prefix(count).map { SocketAddress($0) }
    }

    /// Asks for the records of a type. `onEnded` may be called at once.
    func query(_ name: String, _ type: RecordType, number: UInt64) {
        guard let ares = unsafe ares else { return }
        running += 1
        unsafe rocket_dns_query(ares, name, Int32(type.rawValue), number)
    }

    /// Repeats what has got no answer in time.
    func expire() { if let ares = unsafe ares { unsafe rocket_dns_expire(ares) } }

    /// Ends all queries.
    func cancelAll() { if let ares = unsafe ares { unsafe rocket_dns_cancel(ares) } }

    /// How long until `expire` has something to do; nil: nothing waits.
    var timeToExpiry: Duration? {
        guard running > 0, let ares = unsafe ares else { return nil }
        let left = unsafe rocket_dns_wait_us(ares)
        return left < 0 ? nil : .microseconds(left)
    }

    /// Ends all queries and closes all sockets. Again: without effect.
    func close() {
        guard let ares = unsafe ares else { return }
        unsafe self.ares = nil
        unsafe rocket_dns_free(ares)
    }

    fileprivate func ready(_ descriptor: Int32, readable: Bool, writable: Bool) {
        guard let ares = unsafe ares else { return }
        unsafe rocket_dns_ready(ares, descriptor, readable ? 1 : 0, writable ? 1 : 0)
    }

    // MARK: Called by c-ares

    fileprivate func socketChanged(_ descriptor: Int32, readable: Bool, writable: Bool) {
        var interest: IOInterest = []
        if readable { interest.insert(.read) }
        if writable { interest.insert(.write) }
        if let watch = sockets[descriptor] {
            if !interest.isEmpty { return watch.setInterest(interest) }
            sockets[descriptor] = nil
            watch.cancel()
        } else if !interest.isEmpty {
            let watch = SocketWatch(descriptor, self)
            sockets[descriptor] = watch
            watch.begin(interest, on: reactor)
        }
    }

    fileprivate func ended(_ number: UInt64, _ status: Int32, _ bytes: [UInt8]) {
        running -= 1
        onEnded(number, status, bytes)
    }
}

/// One socket of c-ares at the reactor.
private final class SocketWatch: IOHandler {
    private let descriptor: Int32
    private weak var channel: AresChannel?
    private var registration: Registration?

    init(_ descriptor: Int32, _ channel: AresChannel) {
        self.descriptor = descriptor
        self.channel = channel
    }

    /// A socket that can't be watched gets no answer: its queries time out, and go to another one.
    func begin(_ interest: IOInterest, on reactor: Reactor) {
        // c-ares owns the descriptor.
        let borrowed = FileDescriptor(owning: descriptor)
        registration = try? reactor.register(
            borrowed, interest: interest, label: "dns", handler: self)
        _ = borrowed.release()
    }

    func setInterest(_ interest: IOInterest) { registration?.setInterest(interest) }

    func cancel() { registration.take()?.cancel() }

    func ready(_ events: IOEvents, on reactor: Reactor) {
        // An error is found by reading or writing, whichever c-ares is about to do.
        let interest = registration?.interest ?? []
        let hasFailed = !events.intersection([.error, .hangup]).isEmpty
        channel?.ready(
            descriptor,
            readable: events.contains(.readable) || hasFailed && interest.contains(.read),
            writable: events.contains(.writable) || hasFailed && interest.contains(.write))
    }

    func registrationFailed(_ error: SystemError, on reactor: Reactor) { registration = nil }
}

/// By what c-ares finds the channel: the context of its callbacks.
private struct ChannelReference {
    weak var channel: AresChannel?
}

/// What c-ares calls, by the shim: functions without state, which find the channel by their context.
///
/// SAFETY: the context is the reference that the channel owns, and frees after c-ares' part has ended;
/// bytes are valid during the call, and copied.
private let aresCallbacks = unsafe rocket_dns_callbacks(
    socket_changed: { context, descriptor, readable, writable in
        unsafe channel(context)?.socketChanged(
            descriptor, readable: readable != 0, writable: writable != 0)
    },
    ended: { context, number, status, bytes, count in
        let copy = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
        unsafe channel(context)?.ended(number, status, copy)
    })

private func channel(_ context: UnsafeMutableRawPointer?) -> AresChannel? {
    unsafe context?.assumingMemoryBound(to: ChannelReference.self).pointee.channel
}

extension rocket_dns_address {
    init(_ address: SocketAddress) {
        self.init()
        switch address {
        case .ipv4(let bits, let port): (ipv4, self.port) = (bits, port)
        case .ipv6(let high, let low, let port, let scope):
            is_ipv6 = 1
            (ipv6_high, ipv6_low, self.port, self.scope) = (high, low, port, scope)
        case .unix, .abstract, .unnamed: break
        }
    }
}

extension SocketAddress {
    init(_ flat: rocket_dns_address) {
        self =
            flat.is_ipv6 == 0
            ? .ipv4(bits: flat.ipv4, port: flat.port)
            : .ipv6(
                high: flat.ipv6_high, low: flat.ipv6_low, port: flat.port, scope: flat.scope)
    }

    /// The address that packets to this one are sent from; nil: there is no route. Four system calls,
    /// none of which sends or blocks.
    var source: SocketAddress? {
        var target = rocket_dns_address(self)
        var source = rocket_dns_address()
        return unsafe rocket_dns_source(&target, &source) == 0 ? SocketAddress(source) : nil
    }
}

/// What differs after a file was changed or replaced. A value.
struct FileStamp: Equatable {
    private var device: UInt64
    private var inode: UInt64
    private var size: UInt64
    private var changed: Int64

    /// Asks the file system (stat(2)); a file that does not exist has a stamp too.
    init(of path: String) {
        let stamp = unsafe rocket_dns_file_stamp(path)
        (device, inode, size, changed) = (stamp.device, stamp.inode, stamp.size, stamp.changed_ns)
    }
}

extension QueryOutcome {
    /// What c-ares reports, and the bytes of the answer.
    init(status: Int32, _ bytes: [UInt8], _ type: RecordType, limit: Int) {
        switch Int(status) {
        case ROCKET_DNS_ANSWERED:
            self = DNSMessage(bytes)?.outcome(type, limit: limit) ?? .failed(.malformedAnswer)
        case ROCKET_DNS_NO_SUCH_NAME: self = .negative(.unknownName, ttl: nil)
        case ROCKET_DNS_TIMED_OUT: self = .failed(.timedOut)
        case ROCKET_DNS_SERVER_FAILED: self = .failed(.serverFailed)
        case ROCKET_DNS_REFUSED: self = .failed(.refused)
        case ROCKET_DNS_NOT_SUPPORTED: self = .failed(.notSupported)
        case ROCKET_DNS_MALFORMED: self = .failed(.malformedAnswer)
        case ROCKET_DNS_BAD_NAME: self = .failed(.invalidName)
        case ROCKET_DNS_NO_MEMORY: self = .failed(.outOfMemory)
        case ROCKET_DNS_CANCELLED: self = .failed(.cancelled)
        default: self = .failed(.unreachable)
        }
    }
}
