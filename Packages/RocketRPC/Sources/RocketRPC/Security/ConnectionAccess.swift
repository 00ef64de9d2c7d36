import RocketBase
import RocketCodec
import RocketSystem

/// The callers of one connection that are known: its peer without a token, and with each of the last
/// tokens, and what each may call. Only for servers that check their callers. Bound to the loop.
final class ConnectionAccess {
    /// The most tokens of a connection that are kept; further ones replace the least recently used.
    static let maxCallers = 8
    /// The most DNS names, and URIs, of a caller in a line of the log.
    private static let maxNames = 8
    /// A token is verified again after this time.
    static let longestUse = Duration.seconds(60)

    private let control: AccessControl
    private let peers: ConnectionPeers
    private let withoutToken: KnownCaller
    private var withToken: [KnownCaller] = []
    private var policy: AuthorizationPolicy?
    private var generation: Int
    /// Those of the call that was inspected last, until it begins.
    private(set) var peersOfCall: ConnectionPeers?

    init(_ control: AccessControl, _ peers: ConnectionPeers) {
        self.control = control
        self.peers = peers
        withoutToken = KnownCaller([], peers, validUntil: .distantFuture, keys: 0)
        (policy, generation) = control.current
    }

    /// Why a call is not served.
    struct Denial: Error {
        let error: RPCError
        /// For the log, not for the caller.
        let reason: String

        static func unauthenticated(_ reason: String) -> Denial {
            Denial(error: RPCError(.unauthenticated, "the token is not valid"), reason: reason)
        }
    }

    /// Checks the caller of a call.
    ///
    /// - Parameters:
    ///   - info: the err_info of the request; empty: none.
    ///   - wall: the calendar time; read only to verify a token.
    func check(
        _ method: _MethodEntry, _ info: RawSpan, _ now: MonotonicTime,
        _ wall: @autoclosure () -> WallTime
    ) throws(Denial) {
        peersOfCall = nil
        let caller = try caller(info, now, wall)
        if control.generation != generation { adoptPolicy() }
        guard let policy else {
            peersOfCall = caller.peers
            return
        }
        let isAllowed: Bool
        if let known = caller.decision(on: method) {
            isAllowed = known
        } else {
            isAllowed =
                policy.decide(method.fullName, caller.peers.identity, caller.peers.token).isAllowed
            caller.record(isAllowed, on: method)
        }
        guard isAllowed else { throw denial(of: method, caller.peers, policy) }
        peersOfCall = caller.peers
    }

    /// The peers of the call that was checked last, once; nil: it was not checked.
    func takePeers() -> ConnectionPeers? { peersOfCall.take() }

    private func adoptPolicy() {
        (policy, generation) = control.current
        withoutToken.forgetDecisions()
        for caller in withToken { caller.forgetDecisions() }
    }

    private func denial(
        of method: _MethodEntry, _ peers: ConnectionPeers, _ policy: AuthorizationPolicy
    ) -> Denial {
        let decision = policy.decide(method.fullName, peers.identity, peers.token)
        let why = decision.rule.map { "rule \($0) denies" } ?? "no rule allows"
        let error =
            RPCPeer(peers).isAuthenticated
            ? RPCError(.permissionDenied, "the caller may not call this method")
            : RPCError(.unauthenticated, "the caller has not proved who it is")
        return Denial(error: error, reason: "\(why) \(Self.description(of: peers))")
    }

    /// Who calls, in the words of the rules, so that one can be written by the line in the log.
    private static func description(of peers: ConnectionPeers) -> String {
        var words: [String] = []
        switch peers.identity {
        case .none: break
        case .unix(let process):
            words = ["unix:uid=\(process.userID)", "unix:gid=\(process.groupID)"]
        case .certificate(let certificate):
            words = ["subject:\(certificate.subject)"]
            words += certificate.dnsNames.prefix(maxNames).map { "dns:\($0)" }
            words += certificate.uris.prefix(maxNames).map { "uri:\($0)" }
        }
        if let token = peers.token { words.append("\(token)") }
        return words.isEmpty
            ? "a caller that has proved nothing" : words.joined(separator: " ")
    }

    // MARK: Tokens

    private func caller(
        _ info: RawSpan, _ now: MonotonicTime, _ wall: () -> WallTime
    ) throws(Denial) -> KnownCaller {
        guard let authenticator = control.authenticator,
            let range = MetadataBlock.value(of: "authorization", in: info)
        else { return withoutToken }
        let (bytes, keys) = (info.extracting(range), authenticator.generation)
        if let index = withToken.firstIndex(where: { $0.has(bytes) }) {
            let known = withToken[index]
            if index > 0 {
                withToken.remove(at: index)
                withToken.insert(known, at: 0)
            }
            if now < known.validUntil, known.keys == keys { return known }
            withToken.removeFirst()
        }
        let new = try verify(bytes, info, range, authenticator, keys, now, wall())
        if withToken.count == Self.maxCallers { withToken.removeLast() }
        withToken.insert(new, at: 0)
        return new
    }

    private func verify(
        _ bytes: RawSpan, _ info: RawSpan, _ range: Range<Int>,
        _ authenticator: any RPCAuthenticator, _ keys: UInt64, _ now: MonotonicTime,
        _ wall: WallTime
    ) throws(Denial) -> KnownCaller {
        guard let value = MetadataBlock.text(of: range, in: info),
            value.prefix(7).lowercased() == "bearer ", value.count > 7
        else { throw .unauthenticated("it is not of the form Bearer TOKEN") }
        let token: RPCToken
        do {
            token = try authenticator.authenticate(String(value.dropFirst(7)), RPCPeer(peers))
        } catch {
            throw .unauthenticated((error as? RPCError)?.message ?? "\(error)")
        }
        var use = Self.longestUse
        if let expires = token.expires {
            let (left, overflow) = expires.nanoseconds.subtractingReportingOverflow(
                wall.nanoseconds)
            if !overflow { use = min(use, .nanoseconds(left)) }
            if use <= .zero { throw .unauthenticated("it has expired") }
        }
        return KnownCaller(
            bytes.copied, peers.with(token), validUntil: now + use, keys: keys)
    }
}

/// A caller of a connection, and what it may call. Bound to the connection's loop.
private final class KnownCaller {
    /// The value of `authorization` as it was sent; empty: none.
    private let bytes: [UInt8]
    let peers: ConnectionPeers
    let validUntil: MonotonicTime
    /// The generation of the authenticator.
    let keys: UInt64
    /// By the index of the method.
    private var decisions: [Bool?] = []

    init(_ bytes: [UInt8], _ peers: ConnectionPeers, validUntil: MonotonicTime, keys: UInt64) {
        self.bytes = bytes
        self.peers = peers
        self.validUntil = validUntil
        self.keys = keys
    }

    func has(_ other: RawSpan) -> Bool {
        // SAFETY: the span can't escape the closure, and the array is never changed.
        unsafe bytes.withUnsafeBytes { unsafe sameBytes(RawSpan(_unsafeBytes: $0), other) }
    }

    func decision(on method: _MethodEntry) -> Bool? {
        method.index < decisions.count ? decisions[method.index] : nil
    }

    func record(_ isAllowed: Bool, on method: _MethodEntry) {
        while decisions.count <= method.index { decisions.append(nil) }
        decisions[method.index] = isAllowed
    }

    func forgetDecisions() { decisions = [] }
}

extension ServerConnection {
    /// Returns the error of a call that its caller may not make; nil if it may.
    @inline(never)
    func denial(
        of method: _MethodEntry, _ frame: TinyPBFrame, _ bytes: RawSpan, _ now: MonotonicTime
    ) -> RPCError? {
        let access = self.access ?? ConnectionAccess(dispatcher.access, peers)
        self.access = access
        let info = bytes.extracting(frame.errorCode == 0 ? frame.errorInfo : 0..<0)
        do throws(ConnectionAccess.Denial) {
            try access.check(method, info, now, dispatcher.time.wall())
            return nil
        } catch {
            log(error, bytes.extracting(frame.messageID), method)
            let isKnown = error.error.code == .permissionDenied
            return refused(isKnown ? .permission : .authentication, error.error)
        }
    }

    /// The line belongs to the call that is refused; the loop may be serving another one.
    private func log(
        _ denial: ConnectionAccess.Denial, _ messageID: RawSpan, _ method: _MethodEntry
    ) {
        guard let logger = dispatcher.logger.throttled(.warn, "call not allowed") else { return }
        let context = CallContext(
            messageID: InlineString(bytes: messageID), method: method.fullName,
            peer: peers.peerText)
        CallContext.$current.withValue(context) {
            logger.warn("call not allowed") {
                $0.add("code", denial.error.code.name)
                $0.add("reason", denial.reason)
            }
        }
    }
}
