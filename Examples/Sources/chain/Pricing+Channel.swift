import RocketRPC
import RocketTCP

extension Pricing {
    // docs: policy
    /// A channel to the third service. Its method only reads: a call whose connection is lost is sent
    /// again, even if the server may have begun it.
    static func channelToRates(at address: NetAddress) throws -> RPCChannel {
        var policy = RPCMethodPolicy()
        policy.isIdempotent = true
        policy.timeout = .milliseconds(200)
        var configuration = RPCChannelConfiguration()
        configuration.methods["chain.Rates.Rate"] = policy
        return try RPCChannel(to: address, configuration: configuration)
    }
    // docs: end
}
