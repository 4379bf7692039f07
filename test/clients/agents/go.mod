module agent

go 1.21

require shiplog v0.0.0

replace shiplog => ../../../clients/go
