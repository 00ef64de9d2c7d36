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
        let slot = describe(responder, method) { flight.began($0, at: now) }
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
        describe(responder, method) {
            flight.ended(
                $0, began: began, code: code.rawValue, responseBytes: sent, isRefused: false,
                at: now)
        }
    }

    @inline(never)
    func recordRefusal(
        of method: _MethodEntry?, _ code: RPCErrorCode, on connection: ServerConnection,
        in flight: FlightCalls, at now: UInt64
    ) {
        let name = method?.fullNameBytes ?? Array(RPCServerSnapshot.Method.unknownName.utf8)
        // SAFETY: the pointers don't escape the closures.
        unsafe name.withUnsafeBytes { name in
            let call = unsafe FlightCalls.Beginning(
                method: name, messageID: UnsafeRawBufferPointer(start: nil, count: 0),
                methodIndex: method?.index ?? -2, connection: connection.number,
                peer: connection.peers.peerText, wire: connection.wire, requestBytes: 0)
            flight.ended(
                call, began: now, code: code.rawValue, responseBytes: 0, isRefused: true, at: now)
        }
    }

    /// Calls `body` with what the recorder is told of the current call of a responder.
    @inline(__always)
    private func describe<Result>(
        _ responder: CallResponder, _ method: _MethodEntry,
        _ body: (FlightCalls.Beginning) -> Result
    ) -> Result {
        let connection = responder.connection
        // SAFETY: the pointers don't escape the closures, and the arrays don't change meanwhile.
        return responder.storage.withState { state in
            unsafe state.messageID.withUnsafeBytes { id in
                unsafe method.fullNameBytes.withUnsafeBytes { name in
                    unsafe body(
                        FlightCalls.Beginning(
                            method: name, messageID: id, methodIndex: method.index,
                            connection: connection.number, peer: connection.peers.peerText,
                            wire: connection.wire, requestBytes: responder.requestBytes))
                }
            }
        }
    }
}
