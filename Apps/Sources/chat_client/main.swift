import ChatClientKit

ChatClientProcess.run()
