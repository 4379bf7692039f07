module shiplog

go 1.21
