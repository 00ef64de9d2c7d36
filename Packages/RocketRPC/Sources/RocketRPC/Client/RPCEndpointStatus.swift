import RocketBalancing
import RocketReactor
public import RocketTCP

/// One of the servers of a channel, as of a moment ago.
public struct RPCEndpointStatus: Hashable, Sendable {
    /// Its addresses.
    public let addresses: [NetAddress]
    /// Whether calls can be sent to it.
    public let state: RPCChannelState
    /// The calls that wait for its replies; of one of several servers.
    public let callsInFlight: Int
    /// Its recent latency, with the peaks of the last seconds; zero: unknown, or the only server.
    public let latency: Duration
    /// Whether it gets no calls for a while, because many have failed.
    public let isEjected: Bool
}

extension RPCChannel {
    /// The servers that the channel is connected to, in the order of the last list. Empty before the
    /// first call, and once the channel is closed. Any thread.
    public func endpoints() async -> [RPCEndpointStatus] {
        let inbox = inbox
        return await withCheckedContinuation { continuation in
            let isRunning = loop.execute { reactor in
                continuation.resume(returning: inbox.core(on: reactor)?.status ?? [])
            }
            if !isRunning { continuation.resume(returning: []) }
        }
    }
}

extension ChannelCore {
    var status: [RPCEndpointStatus] {
        let now = reactor.now
        return unsafe endpoints.list.map { endpoint in
            let balancer = unsafe endpoints.balancer
            return RPCEndpointStatus(
                addresses: endpoint.endpoint.addresses, state: endpoint.state,
                callsInFlight: balancer.callsInFlight(at: endpoint.index),
                latency: balancer.latency(at: endpoint.index, now: now),
                isEjected: balancer.isEjected(endpoint.index))
        }
    }
}
