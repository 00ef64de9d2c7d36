import RocketBase
@_spi(Transport) import RocketRPC
import RocketSystem
import RocketTCP

/// A request of HTTP/1.1 and its response. Bound to the connection's loop.
final class HTTP1Exchange {
    /// Its number on the connection in decimal: the msg_id of its frame.
    let messageID: ByteBuffer
    /// Its body. Without types the request is answered without it, and it is dropped.
    let call: ConnectCall
    /// The frame with the request, so far.
    var frame = ByteBuffer()
    /// The encoding that the response may have.
    var responseEncoding: MessageEncoding
    /// Whether the connection is kept for further requests.
    var keepsAlive: Bool
    /// The client waits for `100 Continue`, or for an answer.
    var waitsForContinue = false
    /// When its body has to have arrived, by the client's deadline; nil: any time.
    var deadline: MonotonicTime?
    /// Its end has come.
    var isReceived = false

    init(
        _ number: Int, _ call: ConnectCall, _ responseEncoding: MessageEncoding, keepsAlive: Bool
    ) {
        var messageID = ByteBuffer()
        messageID.append(decimal: number)
        self.messageID = messageID
        self.call = call
        self.responseEncoding = responseEncoding
        self.keepsAlive = keepsAlive
    }

    /// Bytes that it holds.
    var heldBytes: Int { frame.readableBytes + call.heldBytes + Self.objectBytes }

    /// What it costs besides, about.
    private static let objectBytes = 512
}

/// Which names requests may have in Host. A value.
enum HTTP1HostRule: Hashable {
    case any
    /// These, in lower case, and those of loopback addresses if `loopback` is true.
    case only([String], loopback: Bool)

    /// - Parameter hosts: those of the configuration.
    init(_ hosts: [String], at address: NetAddress) {
        if address.isLoopback {
            self = .only(hosts, loopback: true)
        } else {
            self = hosts.isEmpty ? .any : .only(hosts, loopback: false)
        }
    }

    /// - Parameter field: the value of Host. Old clients that send none are no browsers.
    func allows(_ field: String) -> Bool {
        guard case .only(let names, let loopback) = self else { return true }
        let host = HTTPHost(field)
        return names.contains(host.name) || loopback && host.isLoopback
    }
}
