public import ArgumentParser
import RocketGRPC
import RocketRPC

/// The wires on which the benchmark's client calls.
public enum BenchWire: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// TinyPB frames.
    case tinypb
    /// gRPC over HTTP/2.
    case grpc

    /// The setting of a channel.
    var channelProtocol: RPCChannelProtocol {
        switch self {
        case .tinypb: .tinyPB
        case .grpc: .grpc()
        }
    }
}

/// What the benchmark's client measures.
public enum BenchKind: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// Calls of Order.makeOrder.
    case calls
    /// Streams of messages to the server.
    case send
    /// Streams of messages of the server.
    case receive
    /// Streams with one message on its way: the next one follows its echo.
    case echo
    /// Nothing: keeps streams open without traffic, each after one echo.
    case hold
}
