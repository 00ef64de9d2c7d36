public import CRocketSystem
import Glibc

/// One joinable thread of the system. Its owner calls either `join` or `detach`, once.
public struct SystemThread: Sendable {
    private let id: UInt64

    /// Starts a thread that runs `body`.
    ///
    /// - Parameters:
    ///   - name: the name in ps and gdb; the kernel keeps its first 15 bytes.
    ///   - cpu: the processor to pin the thread to, 0 or more; nil: any processor.
    /// - Throws: `SystemError` (EAGAIN: the limit on threads is reached; EINVAL: no such
    ///   processor).
    public init(
        name: String, cpu: Int? = nil, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        // SAFETY: the box is retained for the thread, which releases it, or released below.
        let context = unsafe Unmanaged.passRetained(Body(body))
        var thread: UInt64 = 0
        let cpu = cpu.map { Int32(clamping: $0 < 0 ? .max : $0) } ?? -1
        let run: @convention(c) (UnsafeMutableRawPointer?) -> Void = { pointer in
            guard let pointer = unsafe pointer else { return }
            unsafe Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run()
        }
        let error = unsafe rocket_thread_start(&thread, name, cpu, run, context.toOpaque())
        if error != 0 {
            unsafe context.release()
            throw SystemError("pthread_create \(name)", Errno(rawValue: error))
        }
        id = thread
    }

    /// Blocks until the thread has ended. Must not be called from the thread itself.
    public func join() {
        let error = rocket_thread_join(id)
        precondition(error == 0, "a thread is joined once, by another thread")
    }

    /// Lets the system free the thread when it ends. It can't be joined afterwards.
    public func detach() { _ = rocket_thread_detach(id) }

    /// The name of the calling thread.
    public static var currentName: String {
        var name = [CChar](repeating: 0, count: 17)
        // SAFETY: the kernel writes at most 16 bytes, NUL included.
        unsafe rocket_thread_name(&name)
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The first processor that the calling thread may run on; nil when it is unknown.
    public static var firstUsableCPU: Int? {
        let cpu = rocket_thread_first_cpu()
        return cpu < 0 ? nil : Int(cpu)
    }

    /// A number that identifies the calling thread among the living threads; never 0. Takes one
    /// instruction.
    @inlinable
    public static var currentToken: UInt { UInt(rocket_thread_token()) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
