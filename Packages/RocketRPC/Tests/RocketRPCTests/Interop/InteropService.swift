import Foundation
import RocketBase
import RocketCodec
import RocketRPC
import RocketSystem
import SwiftProtobuf
import Synchronization

/// The unary methods of gRPC's test service.
struct InteropService: InteropTestService {
    let gate = Gate()

    func emptyCall(_ request: InteropEmpty, _ call: RPCController) async throws -> InteropEmpty {
        InteropEmpty()
    }

    func unaryCall(
        _ request: InteropSimpleRequest, _ call: RPCController
    ) async throws -> InteropSimpleResponse {
        if request.hasResponseStatus {
            throw RPCError(
                RPCErrorCode(rawValue: request.responseStatus.code), request.responseStatus.message)
        }
        call.replyMetadata["x-rocket-test-echo"] = call.requestMetadata["x-rocket-test-echo"]
        return .with { $0.payload = Data(count: Int(request.responseSize)) }
    }

    func sleepingCall(
        _ request: InteropSimpleRequest, _ call: RPCController
    ) async throws -> InteropSimpleResponse {
        await withTaskCancellationHandler {
            await gate.wait()
        } onCancel: {
            gate.cancelled.withLock { $0 += 1 }
            gate.open()
        }
        return InteropSimpleResponse()
    }
}
