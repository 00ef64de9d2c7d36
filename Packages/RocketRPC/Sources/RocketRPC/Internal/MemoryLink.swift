import RocketBase
import RocketReactor
import RocketTCP

/// One end of a pipe of bytes between two handlers on the same loop: a connection without a
/// socket. What one end writes in a tick, the other receives at that tick's end.
///
/// It holds no more than one tick's bytes and what its handler leaves of them.
final class MemoryLink: TickEndHandler {
    /// What both ends are called: `unix:`, as an unnamed socket.
    static let address = NetAddress(.unnamed)

    private let reactor: Reactor?
    private var handler: (any ByteLinkHandler)?
    private var peer: MemoryLink?
    private var input = ByteBuffer()
    private var output = ByteBuffer()
    private(set) var sentBytes: UInt64 = 0
    private var isEnrolled = false
    private var closing: CloseReason?
    private var isClosed = false

    private init(on reactor: Reactor?) { self.reactor = reactor }

    /// An end with nobody on the other side: `input` has arrived, `takeOutput` tells what was
    /// written.
    convenience init(input bytes: [UInt8]) {
        self.init(on: nil)
        input.append(bytes)
    }

    func takeOutput() -> [UInt8] {
        defer { output.removeAll() }
        return output.copyBytes()
    }

    /// Joins two handlers; both hear `connected` before this returns, `far` first.
    static func join(
        _ near: any ByteLinkHandler, _ far: any ByteLinkHandler, on reactor: Reactor
    ) {
        let (nearEnd, farEnd) = (MemoryLink(on: reactor), MemoryLink(on: reactor))
        (nearEnd.peer, farEnd.peer) = (farEnd, nearEnd)
        (nearEnd.handler, farEnd.handler) = (near, far)
        far.connected(.memory(farEnd))
        near.connected(.memory(nearEnd))
    }

    // MARK: As a TCPConnection

    var pendingBytes: Int { output.readableBytes }

    func withInput<Result, E: Error>(
        _ body: (inout ByteBuffer) throws(E) -> Result
    ) throws(E) -> Result {
        try body(&input)
    }

    func write<Result, E: Error>(
        _ body: (inout ByteBuffer) throws(E) -> Result
    ) throws(E) -> Result {
        if isClosed || closing != nil {
            var nowhere = ByteBuffer()
            return try body(&nowhere)
        }
        enrol()
        return try body(&output)
    }

    func close(_ how: TCPConnection.Closing, reason: CloseReason) {
        if isClosed { return }
        switch how {
        case .afterFlush: if closing != nil { return }
        case .now, .reset: output.removeAll()
        }
        closing = reason
        if how == .reset { peer?.cut() }
        enrol()
    }

    // MARK: The tick's end

    private func enrol() {
        if isEnrolled { return }
        isEnrolled = true
        reactor?.observeTickEnd(self)
    }

    func tickEnding(on reactor: Reactor) {
        isEnrolled = false
        if !output.isEmpty, let peer {
            sentBytes += UInt64(output.readableBytes)
            peer.deliver(&output)
        }
        output.removeAll()
        if let closing, !isClosed { end(closing) }
    }

    /// Takes what the other end wrote.
    private func deliver(_ bytes: inout ByteBuffer) {
        if isClosed || closing != nil { return }
        var buffer = ByteBuffer()
        swap(&buffer, &input)
        if buffer.isEmpty {
            swap(&buffer, &bytes)
        } else {
            // SAFETY: two buffers, each with memory of its own.
            unsafe bytes.withUnsafeBytes { unsafe buffer.append($0) }
        }
        handler?.received(.memory(self), &buffer)
        if !isClosed { swap(&buffer, &input) }
    }

    /// The other end broke the connection off.
    private func cut() {
        if isClosed { return }
        closing = .peerReset
        output.removeAll()
        enrol()
    }

    private func end(_ reason: CloseReason) {
        isClosed = true
        let (peer, handler) = (peer, handler)
        (self.peer, self.handler) = (nil, nil)
        handler?.closed(.memory(self), reason: reason)
        peer?.peerEnded()
    }

    /// Nothing more will come from the other end.
    private func peerEnded() {
        peer = nil
        if isClosed || closing != nil { return }
        handler?.inputEnded(.memory(self))
    }
}
