import RocketCompression
import RocketGRPC
public import RocketRPC

/// The wires that programs have beside TinyPB: gRPC, with messages compressed for peers that accept it.
public enum ProgramWires {
    /// For `RPCServerConfiguration`: what the listeners of a server serve, too.
    public static var server: [RPCWireProtocol] {
        var configuration = GRPCServerConfiguration()
        configuration.compression = Compression()
        return [.grpc(configuration)]
    }

    /// For `RPCChannelConfiguration`: the wire of stubs with the protocol grpc.
    public static var channel: RPCChannelProtocol {
        var configuration = GRPCChannelConfiguration()
        configuration.compression = Compression()
        return .grpc(configuration)
    }
}
