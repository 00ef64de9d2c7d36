public import RocketBase
public import RocketRPC
public import RocketSystem
import Synchronization

/// Verifies JSON Web Tokens (RFC 7519) by public keys of a file: signature, `exp`, `nbf`, `iss` and
/// `aud`. The subject and all claims that are texts become the `RPCToken`.
///
/// ```swift
/// let authenticator = try await JWTAuthenticator(
///     keys: "/etc/order/issuer.jwks", issuer: "https://id.example", audience: "orders")
/// ```
///
/// A signature takes about 0.1 ms of the connection's loop; the server verifies a token once for all
/// calls of a connection, and again each minute.
public final class JWTAuthenticator: RPCAuthenticator {
    private let file: String
    private let issuer: String
    private let audience: String
    private let leeway: Duration
    private let time: any TimeSource
    private let keys: Locked<VerificationKeys>
    private let reloads = Atomic<UInt64>(0)

    /// Reads the keys. Blocks on the disk.
    ///
    /// - Parameters:
    ///   - file: a JWKS (RFC 7517), or public keys in PEM: RSA, P-256, P-384, P-521 or Ed25519, at
    ///     most 64, in at most 1 MiB.
    ///   - issuer: what `iss` must be.
    ///   - audience: what `aud` must be or contain.
    ///   - leeway: how far the clocks of issuer and server may differ. Default 30 seconds.
    /// - Throws: `RPCError` INTERNAL with the file and what is wrong: it can't be read, others than
    ///   its owner may write it, or it contains no key that can be used.
    public init(
        keys file: String, issuer: String, audience: String, leeway: Duration = .seconds(30),
        time: any TimeSource = SystemTimeSource()
    ) async throws(RPCError) {
        self.file = file
        self.issuer = issuer
        self.audience = audience
        self.leeway = leeway
        self.time = time
        keys = Locked(try await VerificationKeys(file: file))
    }

    /// Reads the file again, for example on SIGHUP. Tokens of keys that it does not contain any more
    /// are refused from then on. Blocks on the disk.
    ///
    /// - Throws: as `init`; the keys stay as they were.
    public func reload() async throws(RPCError) {
        let new = try await VerificationKeys(file: file)
        keys.withLock { $0 = new }
        reloads.wrappingAdd(1, ordering: .releasing)
    }

    /// Changes with each reload.
    public var generation: UInt64 { reloads.load(ordering: .acquiring) }

    /// Verifies a token.
    ///
    /// - Throws: `RPCError` UNAUTHENTICATED with the rule that the token breaks.
    public func authenticate(_ token: String, _ peer: RPCPeer) throws -> RPCToken {
        let claims = try keys.withLock { $0 }.claims(of: token)
        let now = time.wall()
        guard let expires = claims.expires else { throw refusal("it has no exp") }
        let end = expires.later(by: leeway)
        guard now < end else { throw refusal("it has expired") }
        if let begin = claims.notBefore, now.later(by: leeway) < begin {
            throw refusal("its nbf has not come")
        }
        guard claims.issuer == issuer else { throw refusal("it has another issuer") }
        guard claims.audience.contains(audience) else {
            throw refusal("it is for another audience")
        }
        guard let subject = claims.subject, !subject.isEmpty else { throw refusal("it has no sub") }
        return RPCToken(subject: subject, claims: claims.texts, expires: end)
    }
}

/// The reason is for the log, so it contains nothing of the token.
func refusal(_ reason: String) -> RPCError { RPCError(.unauthenticated, reason) }

extension WallTime {
    func later(by duration: Duration) -> WallTime {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return WallTime(nanoseconds: overflow ? (duration > .zero ? .max : .min) : sum)
    }
}
