public import RocketBase

/// Checks the tokens that callers send with their calls, in the metadata `authorization: Bearer …`.
///
/// It says who calls; `RPCServerConfiguration.authorization` says who may call what. Without an
/// authenticator a server ignores tokens. A call without a token is served as one of a caller that
/// has proved only what its connection has.
public protocol RPCAuthenticator: Sendable {
    /// A number that changes when a token that was valid may no longer be, as when keys are
    /// reloaded. Tokens that were verified before are verified again then.
    var generation: UInt64 { get }

    /// Verifies a token. Called on the loop of the caller's connection, so it must neither block nor
    /// take long. A valid token is verified at most once a minute for each connection, as long as the
    /// connection has no more than 8 of them; one that is not valid each time.
    ///
    /// - Parameters:
    ///   - token: what follows `Bearer `, as it was sent: 1 to 8192 bytes of any text.
    ///   - peer: the caller, without a token.
    /// - Throws: why the token is not valid. The reason is logged, so it must not contain the token;
    ///   the caller only gets UNAUTHENTICATED.
    func authenticate(_ token: String, _ peer: RPCPeer) throws -> RPCToken
}

extension RPCAuthenticator {
    /// 0: tokens are valid until they expire.
    public var generation: UInt64 { 0 }
}
