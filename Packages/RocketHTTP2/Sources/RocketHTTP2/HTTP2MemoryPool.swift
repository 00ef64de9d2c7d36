import CRocketHTTP2

/// Blocks of memory that sessions have freed and use again, so that streams in steady state allocate
/// nothing. Shared by all sessions of one thread: an idle session then holds no blocks of its own.
///
/// Not Sendable: belongs to the thread of its sessions.
@safe
public final class HTTP2MemoryPool {
    let pool: OpaquePointer

    /// Makes an empty pool.
    ///
    /// - Parameter limitBytes: how many bytes of freed blocks it keeps at most; more go back to malloc.
    public init(limitBytes: Int = 1 << 20) {
        guard let made = unsafe rocket_http2_pool_create(max(0, limitBytes)) else {
            preconditionFailure("HTTP2MemoryPool: out of memory")
        }
        unsafe pool = made
    }

    deinit { unsafe rocket_http2_pool_free(pool) }

    /// Bytes that sessions use.
    public var usedBytes: Int { unsafe rocket_http2_pool_used_bytes(pool) }
    /// Bytes that wait to be used again.
    public var freeBytes: Int { unsafe rocket_http2_pool_free_bytes(pool) }
    /// How often memory was allocated.
    public var allocations: Int { unsafe Int(rocket_http2_pool_allocations(pool)) }
}
