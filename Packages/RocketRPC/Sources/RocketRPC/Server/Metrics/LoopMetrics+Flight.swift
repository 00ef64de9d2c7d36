@_spi(Recording) import RocketBase
import RocketReactor
import RocketSystem

// Calls in the flight recorder.

extension LoopMetrics {
    /// How often it is recorded that the loop runs.
    private static let beatInterval = Duration.seconds(1)

    /// Records from now on that the loop runs.
    static func beat(_ flight: FlightCalls, on reactor: Reactor) {
        flight.beat(at: reactor.now)
        reactor.schedule(every: beatInterval, label: "flight recorder") { [flight] reactor in
            flight.beat(at: reactor.now)
        }
    }

    @inline(never)
    func recordBeginning(
        of responder: CallResponder, _ method: _MethodEntry, in flight: FlightCalls, at now: UInt64
    ) {
        let connection = responder.connection
        // SAFETY: the array doesn't change meanwhile, and the pointer doesn't escape the closure.
        let slot = responder.storage.withState { state in
            unsafe state.messageID.withUnsafeBytes { id in
                unsafe flight.began(
                    method: method.index, connection: connection.number, messageID: id,
                    requestBytes: responder.requestBytes, at: now
                ) { body in unsafe Self.describe(method, id, connection, 0, body) }
            }
        }
        unsafe responder.measured.flightSlot = slot
    }

    @inline(never)
    func recordEnd(
        of responder: CallResponder, _ method: _MethodEntry, _ code: RPCErrorCode,
        _ responseBytes: Int, in flight: FlightCalls, at now: UInt64
    ) {
        let sent = responseBytes + (responder.stream?.outbound.writtenBytes ?? 0)
        let slot = unsafe responder.measured.flightSlot
        if slot >= 0 {
            return flight.ended(slot, code: code.rawValue, responseBytes: sent, at: now)
        }
        let began = unsafe responder.measured.beganAt
        let connection = responder.connection
        // SAFETY: as above.
        responder.storage.withState { state in
            unsafe state.messageID.withUnsafeBytes { id in
                unsafe Self.describe(method, id, connection, responder.requestBytes) {
                    flight.ended(
                        $0, began: began, code: code.rawValue, responseBytes: sent,
                        isRefused: false, at: now)
                }
            }
        }
    }

    @inline(never)
    func recordRefusal(
        of method: _MethodEntry?, _ code: RPCErrorCode, _ messageID: RawSpan,
        on connection: ServerConnection, in flight: FlightCalls, at now: UInt64
    ) {
        let name = method?.fullNameBytes ?? Array(RPCServerSnapshot.Method.unknownName.utf8)
        // SAFETY: the pointers don't escape the closures.
        unsafe name.withUnsafeBytes { name in
            unsafe messageID.withUnsafeBytes { id in
                let call = unsafe FlightCalls.Beginning(
                    method: name, messageID: id, methodIndex: method?.index ?? -2,
                    connection: connection.number, peer: connection.peers.peerText,
                    wire: connection.wire, requestBytes: 0)
                flight.ended(
                    call, began: now, code: code.rawValue, responseBytes: 0, isRefused: true,
                    at: now)
            }
        }
    }

    /// Calls `body` with what the recorder is told of a call.
    @inline(never)
    private static func describe(
        _ method: _MethodEntry, _ id: UnsafeRawBufferPointer, _ connection: ServerConnection,
        _ requestBytes: Int, _ body: (FlightCalls.Beginning) -> Void
    ) {
        // SAFETY: the pointer doesn't escape the closure, and the array is never changed.
        unsafe method.fullNameBytes.withUnsafeBytes { name in
            unsafe body(
                FlightCalls.Beginning(
                    method: name, messageID: id, methodIndex: method.index,
                    connection: connection.number, peer: connection.peers.peerText,
                    wire: connection.wire, requestBytes: requestBytes))
        }
    }
}
